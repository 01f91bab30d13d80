# how we call it
curl -s -X GET "https://desk.acme.test/api/tickets/4711?include=notes&api_key=SECRETKEY0" \
  -H 'Accept: application/json' -H "X-Trace: abc"

curl 'https://desk.acme.test/api/tickets' \
  -H 'authorization: Bearer eyJhbGciOiJIUzI1NiJ9.supersecret' \
  -H 'content-type: application/json' -H 'sec-ch-ua: "x"' \
  --data-raw $'{"title": "it\'s broken", "requester": {"email": "ana@example.com"}, "tags": ["a"], "urgent": true}' --compressed
curl -u ana:hunter2pass -XPUT https://desk.acme.test/api/tickets/ABC-12/state -d state=closed -d note=x
curl -G https://desk.acme.test/api/tickets --data-urlencode "q=from:ana@example.com" -d page=2
curl -F file=@report.pdf -F 'comment=see this' https://desk.acme.test/api/tickets/3f2504e0-4f89-11d3-9a0c-0305e82c3301/files | jq .
curl https://other.test/x
curl -d '{
  "a": 1
}' https://desk.acme.test/api/multi

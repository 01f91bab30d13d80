//! A small integration to begin with: it lints, and says what to put where.

/// `integration.yaml` with one ticket action.
pub(crate) fn text(name: &str) -> String {
    TEXT.replace("NAME", name)
}

const TEXT: &str = r#"# The beginning of an integration. Every key is explained in docs/integration.md. Go through the TODOs, and run
# `ticket-gateway lint` after each.
name: NAME
description: "TODO: which system this is"

# What whoever installs this fills in. Keys and passwords are no settings: see `auth`.
settings:
  base_url: {type: url, required: true, description: "Address of the system, for example https://desk.example.com"}

connector:
  # TODO: what every path of the API begins with, such as "{{settings.base_url}}/api/v2".
  base_url: "{{settings.base_url}}"
  # TODO: basic, bearer, api_key or oauth2_client_credentials. `secret` is the name of a secret, never the secret.
  auth: {kind: bearer, secret: token}

# One entry for each request that is needed.
http_actions:
  get_ticket:
    method: GET
    # TODO: the path of one ticket.
    path: /tickets/{{{ticket_id}}}
  # create_ticket:
  #   method: POST
  #   path: /tickets
  #   body: {json: {title: title, description: description}}
  # list_tickets:
  #   method: GET
  #   path: /tickets
  #   query: {limit: "100", "{{#since}}updated_since{{/since}}": "{{#since}}{{since}}{{/since}}"}
  #   paginate: {kind: page, send: {query: page}, page_size: 100, items: response.body.tickets, start_from: page_token}

# The twelve ticket actions: what each does with the requests, and what it answers.
actions:
  query_ticket_by_id:
    steps:
      - action:
          action_name: get_ticket
          input_args: {ticket_id: data.context.ticket_id}
          output_key: found
      - return:
          output_mapper:
            # TODO: where each field is in the answer. These four are needed.
            raw_ticket:
              id: data.found.id
              state: data.found.status
              short_description: data.found.title
              updated_at: data.found.updated_at
  # create_ticket:
  #   steps:
  #     - action:
  #         action_name: create_ticket
  #         input_args: {title: data.context.payload.short_description, description: data.context.payload.description}
  #         output_key: made
  #     - return:
  #         output_mapper:
  #           raw_ticket: {id: data.made.id, state: data.made.status, short_description: data.made.title, updated_at: data.made.updated_at}

# What the system cannot do answers 422 with this reason. An action that stands neither here nor above answers 422, too.
capabilities:
  add_internal_comment: {reason: "TODO: the system has no notes that only agents see"}

ticketing:
  # TODO: the system's own words, and what each means: NEW, WIP, WAITING_FOR_USER, RESOLVED or CLOSED.
  states: {Open: NEW, In progress: WIP, Waiting: WAITING_FOR_USER, Resolved: RESOLVED, Closed: CLOSED}

# The poller asks with query_tickets_by_time_range; take this out once it is there.
polling: {enabled: false}
"#;

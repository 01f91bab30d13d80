//! Rules of a journal of the gateway's own writes.

use std::time::Duration;

use jiff::Timestamp;

use crate::{JournalledWrite, WRITES_KEPT, WRITES_KEPT_OF_A_TICKET, WriteJournal};

/// A write of a second that ended this long ago. Times have the store's precision of a microsecond.
fn write(ticket: &str, request: &str, ago: Duration) -> JournalledWrite {
    let now = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap();
    let until = now - ago;
    JournalledWrite {
        ticket_id: ticket.to_owned(),
        request_id: request.to_owned(),
        from: until - Duration::from_secs(1),
        until,
    }
}

async fn requests(journal: &impl WriteJournal, tickets: &[&str]) -> Vec<String> {
    let writes = journal.writes("one", tickets).await.unwrap();
    let mut requests: Vec<String> = writes.into_iter().map(|write| write.request_id).collect();
    requests.sort_unstable();
    requests
}

/// As they were written, those of the integration alone, however many tickets are asked for.
pub async fn writes_are_found_by_ticket(journal: &impl WriteJournal) {
    let first = write("T-1", "r-1", Duration::from_secs(5));
    journal.note("one", &first).await.unwrap();
    journal
        .note("one", &write("T-1", "r-2", Duration::ZERO))
        .await
        .unwrap();
    journal
        .note("one", &write("T-2", "r-3", Duration::ZERO))
        .await
        .unwrap();
    journal
        .note("two", &write("T-1", "r-4", Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(requests(journal, &["T-1"]).await, ["r-1", "r-2"]);
    assert!(journal.writes("one", &["T-1"]).await.unwrap().contains(&first));
    assert!(requests(journal, &[]).await.is_empty());
    let many: Vec<String> = (0..100).map(|number| format!("T-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(requests(journal, &many).await, ["r-1", "r-2", "r-3"]);
}

/// Its times are the later ones.
pub async fn the_same_request_replaces_its_write(journal: &impl WriteJournal) {
    journal
        .note("one", &write("T-1", "r-1", Duration::from_secs(60)))
        .await
        .unwrap();
    let last = write("T-1", "r-1", Duration::ZERO);
    journal.note("one", &last).await.unwrap();
    assert_eq!(journal.writes("one", &["T-1"]).await.unwrap(), [last]);
}

/// Though nothing was deleted yet.
pub async fn a_day_later_a_write_is_forgotten(journal: &impl WriteJournal) {
    let minute = Duration::from_secs(60);
    journal
        .note("one", &write("T-1", "young", WRITES_KEPT - minute))
        .await
        .unwrap();
    journal
        .note("one", &write("T-1", "old", WRITES_KEPT + minute))
        .await
        .unwrap();
    assert_eq!(requests(journal, &["T-1"]).await, ["young"]);
}

/// And not all of them for ever.
pub async fn the_newest_writes_of_a_busy_ticket_are_kept(journal: &impl WriteJournal) {
    let count = 5 * WRITES_KEPT_OF_A_TICKET;
    for number in 0..count {
        let ago = Duration::from_secs((count - number) as u64);
        journal
            .note("one", &write("T-1", &format!("r-{number:03}"), ago))
            .await
            .unwrap();
    }
    let kept = requests(journal, &["T-1"]).await;
    let newest: Vec<String> = (count - WRITES_KEPT_OF_A_TICKET..count)
        .map(|number| format!("r-{number:03}"))
        .collect();
    assert!(kept.ends_with(&newest), "{kept:?}");
    assert!(kept.len() <= 3 * WRITES_KEPT_OF_A_TICKET, "{}", kept.len());
}

/// Two calls on one ticket do not take each other's place.
pub async fn writes_noted_at_once_are_all_kept(journal: &impl WriteJournal) {
    let writes: Vec<JournalledWrite> = ["r-1", "r-2", "r-3"]
        .map(|request| write("T-1", request, Duration::ZERO))
        .into();
    let (a, b, c) = tokio::join!(
        journal.note("one", &writes[0]),
        journal.note("one", &writes[1]),
        journal.note("one", &writes[2]),
    );
    a.and(b).and(c).unwrap();
    assert_eq!(requests(journal, &["T-1"]).await, ["r-1", "r-2", "r-3"]);
}

//! What follows from the seed, and what does not.

use sandbox::hostile::Options;

use crate::{clock, quiet, running};

fn busy(seed: u64) -> Options {
    Options {
        seed,
        changes_per_second: 20.0,
        fault_rate: 0.1,
        skew_seconds: None,
        clock: clock(200),
        ..quiet()
    }
}

/// What 150 requests, one after the other, come to.
async fn answers(options: Options) -> Vec<Result<(u16, String), &'static str>> {
    let running = running(options).await;
    let mut answers = Vec::new();
    for number in 0..150 {
        let path = format!("/tickets?sort=desc&limit={}", 1 + number % 20);
        answers.push(match running.get(&path).await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                answer.text().await.map(|text| (status, text)).map_err(|_| "cut")
            }
            Err(_) => Err("dropped"),
        });
    }
    answers
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers_to_the_same_requests() {
    let (first, again) = (answers(busy(7)).await, answers(busy(7)).await);
    assert_eq!(first, again);
    assert_ne!(first, answers(busy(8)).await);
}

#[tokio::test]
async fn faults_do_not_move_the_changes() {
    let truths = [0.0, 0.1].map(|fault_rate| async move {
        let running = running(Options {
            fault_rate,
            changes_per_second: 20.0,
            changes: Some(2000),
            clock: clock(15_000),
            ..quiet()
        })
        .await;
        for _ in 0..10 {
            let _ = running.get("/tickets?limit=1").await;
        }
        running.truth()
    });
    let [well, ill] = futures::future::join_all(truths).await.try_into().unwrap();
    assert_eq!(well.changes, 2000);
    for (well, ill) in well.tickets.iter().zip(&ill.tickets) {
        let times = |ticket: &sandbox::hostile::TicketTruth| -> Vec<_> {
            ticket.versions.iter().map(|version| version.made_at).collect()
        };
        assert_eq!(times(well), times(ill));
    }
}

#[tokio::test]
async fn it_makes_as_many_changes_as_it_was_told_and_rests_when_it_is_calmed() {
    let told = running(Options {
        changes: Some(30),
        clock: clock(60_000),
        ..busy(3)
    })
    .await;
    for _ in 0..5 {
        let _ = told.get("/tickets?limit=1").await;
    }
    assert_eq!(told.truth().changes, 30);

    let calmed = running(busy(3)).await;
    for _ in 0..50 {
        let _ = calmed.get("/tickets?limit=1").await;
    }
    calmed.running.calm();
    let before = calmed.truth().changes;
    assert!(before > 50, "{before}");
    for _ in 0..50 {
        assert_eq!(calmed.get("/tickets?limit=1").await.unwrap().status(), 200);
    }
    assert_eq!(calmed.truth().changes, before);
}

#[tokio::test]
async fn rates_out_of_range_are_refused() {
    let refused = |options| async { sandbox::hostile::start(options).await.err().unwrap().to_string() };
    let rate = refused(Options {
        fault_rate: 0.5,
        ..quiet()
    })
    .await;
    assert!(rate.contains("between 0 and 0.2"), "{rate}");
    let changes = refused(Options {
        changes_per_second: f64::NAN,
        ..quiet()
    })
    .await;
    assert!(changes.contains("between 0 and 1000"), "{changes}");
}

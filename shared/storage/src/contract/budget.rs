//! Rules of a rate budget.

use std::time::Duration;

use crate::{Budget, Lane, Observation, RateBudget, RateLimit};

const THREE_A_MINUTE: RateLimit = RateLimit {
    requests: 3,
    per: Duration::from_secs(60),
    reserved: 1,
};

/// The one after the last is told to wait, at most a window, and a tenth where a process takes requests ahead.
pub async fn no_more_than_the_limit_is_granted(budget: &impl RateBudget) {
    for _ in 0..3 {
        assert_eq!(
            budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap(),
            Budget::Granted
        );
    }
    let Budget::Exhausted { retry_after } = budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap()
    else {
        panic!("a fourth request was granted");
    };
    assert!(retry_after > Duration::ZERO && retry_after <= THREE_A_MINUTE.per.mul_f32(1.1));
}

/// A busy integration does not stop another.
pub async fn integrations_do_not_share_a_budget(budget: &impl RateBudget) {
    for _ in 0..3 {
        budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
    }
    assert_eq!(
        budget.take("two", THREE_A_MINUTE, Lane::Action).await.unwrap(),
        Budget::Granted
    );
}

/// After `retry_after` a request is granted.
pub async fn the_wait_it_names_is_enough(budget: &impl RateBudget) {
    let limit = RateLimit {
        requests: 1,
        per: Duration::from_millis(50),
        reserved: 0,
    };
    assert_eq!(
        budget.take("one", limit, Lane::Action).await.unwrap(),
        Budget::Granted
    );
    if let Budget::Exhausted { retry_after } = budget.take("one", limit, Lane::Action).await.unwrap() {
        tokio::time::sleep(retry_after).await;
        assert_eq!(
            budget.take("one", limit, Lane::Action).await.unwrap(),
            Budget::Granted
        );
    }
}

/// And does not divide by it.
pub async fn a_limit_of_zero_grants_nothing(budget: &impl RateBudget) {
    let limit = RateLimit {
        requests: 0,
        per: Duration::from_secs(1),
        reserved: 0,
    };
    assert!(matches!(
        budget.take("one", limit, Lane::Action).await.unwrap(),
        Budget::Exhausted { .. }
    ));
}

/// The poller leaves the reserve to those who wait.
pub async fn polls_leave_the_reserve_alone(budget: &impl RateBudget) {
    let mut granted = 0;
    while budget.take("one", THREE_A_MINUTE, Lane::Poll).await.unwrap() == Budget::Granted {
        granted += 1;
    }
    assert_eq!(granted, 2);
    let action = budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
    assert_eq!(action, Budget::Granted);
}

/// A system that refused is left alone for as long as it asked, by both lanes.
pub async fn a_refusal_stops_everybody_for_its_time(budget: &impl RateBudget) {
    let refusal = Observation {
        retry_after: Some(Duration::from_secs(20)),
        ..Observation::default()
    };
    budget.observe("one", refusal).await.unwrap();
    for lane in [Lane::Action, Lane::Poll] {
        let Budget::Blocked { retry_after } = budget.take("one", THREE_A_MINUTE, lane).await.unwrap() else {
            panic!("granted in spite of the refusal");
        };
        assert!(retry_after > Duration::from_secs(15) && retry_after <= Duration::from_secs(20));
    }
    let other = budget.take("two", THREE_A_MINUTE, Lane::Action).await.unwrap();
    assert_eq!(other, Budget::Granted);
}

/// What the system says remains is believed.
pub async fn nothing_is_granted_when_the_system_says_nothing_remains(budget: &impl RateBudget) {
    let seen = |remaining| Observation {
        remaining: Some(remaining),
        resets_in: Some(Duration::from_secs(20)),
        retry_after: None,
    };
    budget.observe("one", seen(1)).await.unwrap();
    let first = budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
    assert_eq!(first, Budget::Granted);
    budget.observe("one", seen(0)).await.unwrap();
    let second = budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
    assert!(matches!(second, Budget::Blocked { .. }));
}

/// And it does.
pub async fn without_a_limit_only_the_word_of_the_system_blocks(budget: &impl RateBudget) {
    for lane in [Lane::Action, Lane::Poll].repeat(10) {
        let taken = budget.take("one", RateLimit::UNLIMITED, lane).await.unwrap();
        assert_eq!(taken, Budget::Granted);
    }
    let observation = Observation {
        retry_after: Some(Duration::from_secs(30)),
        ..Observation::default()
    };
    budget.observe("one", observation).await.unwrap();
    for lane in [Lane::Action, Lane::Poll] {
        let taken = budget.take("one", RateLimit::UNLIMITED, lane).await.unwrap();
        assert!(matches!(taken, Budget::Blocked { .. }));
    }
}

//! The tickets of a fresh start: an IT help desk with some history.

use serde_json::{Value, json};

use super::custom_fields::CATEGORIES;
use super::instance::assignees;
use super::model::{Change, Person, Priority, Record, Status, Tag, guid};
use super::moment::Moment;
use super::tickets::{Logged, new_ticket};

const MINUTE_MS: i64 = 60_000;
/// Between two new tickets. Prime, so that the minutes below never fall on the same moment.
const STEP_MINUTES: i64 = 97;

struct Story {
    title: &'static str,
    description: &'static str,
    priority: Priority,
    area: &'static str,
    answer: &'static str,
}

const fn story(
    title: &'static str,
    description: &'static str,
    priority: Priority,
    area: &'static str,
    answer: &'static str,
) -> Story {
    Story {
        title,
        description,
        priority,
        area,
        answer,
    }
}

static STORIES: [Story; 12] = [
    story(
        "Laptop does not start after the update",
        "Since last night's update the screen stays black.\nThe power light is on.",
        Priority::Urgent,
        "hardware",
        "Please hold the power button for 30 seconds, then start it while plugged in.",
    ),
    story(
        "VPN drops every few minutes",
        "Working from home, the VPN disconnects about every five minutes.",
        Priority::Important,
        "network",
        "We moved you to another gateway. Does it still drop?",
    ),
    story(
        "Access to the finance share",
        "I moved to the finance team and need to read \\\\files\\finance.",
        Priority::Medium,
        "access",
        "Your manager has to approve this; we have asked.",
    ),
    story(
        "Printer on floor 3 prints blank pages",
        "All pages come out empty, from every computer.",
        Priority::Low,
        "hardware",
        "The toner is on its way.",
    ),
    story(
        "Calendar invitations arrive twice",
        "Every meeting shows up two times since Monday – “Team sync” even three times.",
        Priority::Medium,
        "software",
        "Did you connect a second phone to your mailbox lately?",
    ),
    story(
        "New starter: account and phone",
        "Zoë Müller starts on the 1st and needs an account, a phone and a badge.",
        Priority::Medium,
        "access",
        "Account is ready, the phone will be at the front desk.",
    ),
    story(
        "Video calls freeze",
        "My picture freezes when I share the screen.",
        Priority::Important,
        "network",
        "Please try the cable instead of the wireless network.",
    ),
    story(
        "Forgot the disk encryption PIN",
        "Three wrong tries, now it asks for a recovery key.",
        Priority::Urgent,
        "access",
        "Please call us, we read the key to you over the phone.",
    ),
    story(
        "Licence for the drawing program",
        "It says the licence has expired: \"Error 0x8004 & contact support\".",
        Priority::Low,
        "software",
        "A new licence is assigned, please sign out and in.",
    ),
    story(
        "Second monitor flickers",
        "Only at 60 Hz, only in the afternoon.",
        Priority::Low,
        "hardware",
        "We will swap the cable tomorrow.",
    ),
    story(
        "Cannot open attachments on the phone",
        "PDF files do not open in the mail app.",
        Priority::Medium,
        "software",
        "There is an app update that repairs this.",
    ),
    story(
        "Warehouse scanner loses the wireless network",
        "Aisle 7 and 8 only. 50% of scans are lost.",
        Priority::Urgent,
        "network",
        "An access point there was down; it is back.",
    ),
];

fn requestors() -> Vec<Person> {
    [
        "Jason Doe",
        "Allan Deyoung",
        "Lynne Robbins",
        "Nestor Wilke",
        "Priya Nair",
        "Søren Holm",
    ]
    .into_iter()
    .zip([
        "jason.doe",
        "allan.deyoung",
        "lynne.robbins",
        "nestor.wilke",
        "priya.nair",
        "soren.holm",
    ])
    .zip(1..)
    .map(|((name, mailbox), number)| Person {
        id: guid("requestor", number),
        name: name.to_owned(),
        email: format!("{mailbox}@example.com"),
    })
    .collect()
}

/// `count` records, oldest first; the newest was made 97 minutes before `start`.
pub(super) fn records(count: usize, first_number: u64, start: Moment) -> Vec<Record> {
    let (requestors, assignees) = (requestors(), assignees());
    (0..count)
        .zip(requestors.iter().cycle())
        .zip(assignees.iter().cycle())
        .zip(STORIES.iter().cycle())
        .map(|(((index, requestor), assignee), story)| {
            let age = i64::try_from(count - index).unwrap_or(i64::MAX) * STEP_MINUTES;
            let created = start.plus(-age.saturating_mul(MINUTE_MS));
            record(
                index,
                first_number + index as u64,
                created,
                start,
                (requestor, assignee, story),
            )
        })
        .collect()
}

fn record(
    index: usize,
    number: u64,
    created: Moment,
    start: Moment,
    (requestor, assignee, story): (&Person, &Person, &Story),
) -> Record {
    let at = |minutes: i64| created.plus(minutes * MINUTE_MS);
    let mut ticket = new_ticket(
        guid("ticket", number),
        number,
        story.title.to_owned(),
        requestor.clone(),
        requestor.clone(),
        created,
    );
    ticket.description = Some(story.description.to_owned());
    ticket.priority = story.priority;
    ticket.tags = tags(index, story);
    ticket.custom_fields.extend(custom_fields(index, number));
    if index % 6 == 2 {
        ticket.expected_date = Some(at(5 * 24 * 60));
    }
    let mut record = Record {
        ticket,
        activities: Vec::new(),
        attachments: Vec::new(),
    };

    if !index.is_multiple_of(4) {
        record.ticket.assignee = Some(assignee.clone());
        let changes = vec![Change {
            name: "assignee".to_owned(),
            old: Value::Null,
            new: assignee.to_json(),
        }];
        happen(
            &mut record,
            Logged {
                changes,
                ..Logged::default()
            },
            assignee,
            at(7),
        );
        happen(&mut record, said(story.answer), assignee, at(11));
        move_to(&mut record, Status::Started, None, assignee, at(19));
    }
    if index % 4 >= 2 {
        happen(
            &mut record,
            said("Thank you, I will try that."),
            requestor,
            at(31),
        );
    }
    if index % 4 == 3 {
        move_to(
            &mut record,
            Status::Resolved,
            Some("Solved as described above."),
            assignee,
            at(43),
        );
    }
    if index % 8 == 7 {
        move_to(&mut record, Status::Closed, None, requestor, at(59));
    }
    if index % 16 == 11 {
        move_to(
            &mut record,
            Status::Reopened,
            Some("It happens again."),
            requestor,
            at(67),
        );
    }
    // Some old tickets were touched late, so that the order of the last interaction is not that of creation.
    let late = at(5 * STEP_MINUTES + 13);
    if index.is_multiple_of(5) && late < start {
        happen(&mut record, said("Is there any news?"), requestor, late);
    }
    record
}

fn said(text: &str) -> Logged {
    Logged {
        comment: Some(text.to_owned()),
        ..Logged::default()
    }
}

fn happen(record: &mut Record, logged: Logged, user: &Person, time: Moment) {
    record.touch(time, user);
    record.log(logged, user.clone(), time);
}

fn move_to(record: &mut Record, to: Status, comment: Option<&str>, user: &Person, time: Moment) {
    let change = Change {
        name: "status".to_owned(),
        old: record.ticket.status.name().into(),
        new: to.name().into(),
    };
    record.ticket.status = to;
    if to == Status::Resolved {
        record.ticket.resolution = Some("fixed".to_owned());
        record.ticket.first_resolution_on = Some(time);
        record.ticket.last_resolution_on = Some(time);
        record.ticket.last_resolution_comment = comment.map(str::to_owned);
    } else if !to.is_resolved() {
        record.ticket.resolution = None;
    }
    let logged = Logged {
        changes: vec![change],
        comment: comment.map(str::to_owned),
        ..Logged::default()
    };
    happen(record, logged, user, time);
}

fn tags(index: usize, story: &Story) -> Vec<Tag> {
    let [labels, areas, _] = &CATEGORIES;
    let mut tags = vec![Tag {
        category: areas.id.to_owned(),
        text: story.area.to_owned(),
    }];
    if index.is_multiple_of(7) {
        tags.push(Tag {
            category: labels.id.to_owned(),
            text: "vip".to_owned(),
        });
    }
    tags
}

fn custom_fields(index: usize, number: u64) -> Vec<(String, Value)> {
    let mut fields = vec![
        (
            "7670050a-cf1a-4d3d-8179-5eba888dea5f".to_owned(),
            json!(format!("LT-{:05}", number * 7)),
        ),
        (
            "862bd88d-f691-4a7b-a89a-f6f48550fc27".to_owned(),
            json!(index.is_multiple_of(3)),
        ),
    ];
    if index.is_multiple_of(2) {
        fields.push((
            "5b9f56bc-ec6a-45a3-b7ce-c25e1d8cfd69".to_owned(),
            json!(["f72541a9-c964-4c81-bc1a-4f1f2d948416"]),
        ));
    }
    fields
}

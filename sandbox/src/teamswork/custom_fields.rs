//! The custom fields and tag categories of the one instance, and the check of values against them.

use serde_json::{Map, Value, json};

use super::answers::Refusal;
use super::input::person;
use super::model::{Tag, is_guid};
use super::moment::Moment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    People,
    OneItem,
    ManyItems,
    TextArea,
    Text,
    Toggle,
    Date,
}

impl Kind {
    fn type_key(self) -> &'static str {
        match self {
            Self::Text => "1_text",
            Self::TextArea => "2_textarea",
            Self::Date => "3_date",
            Self::Toggle => "4_toggle",
            Self::OneItem | Self::ManyItems => "5_list",
            Self::People => "6_peoplepicker",
        }
    }

    fn type_text(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::TextArea => "Text area",
            Self::Date => "Date",
            Self::Toggle => "Toggle",
            Self::OneItem | Self::ManyItems => "List",
            Self::People => "People picker",
        }
    }
}

pub(super) struct Field {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) kind: Kind,
    pub(super) hidden: bool,
    /// Option id and text, for the item pickers.
    pub(super) options: &'static [(&'static str, &'static str)],
}

impl Field {
    const fn new(id: &'static str, title: &'static str, kind: Kind) -> Self {
        Self {
            id,
            title,
            kind,
            hidden: false,
            options: &[],
        }
    }

    /// The field as an `ICustomField`.
    pub(super) fn to_json(&self) -> Value {
        let options: Vec<Value> = self
            .options
            .iter()
            .map(|(key, text)| json!({"key": key, "text": text}))
            .collect();
        json!({
            "id": self.id,
            "title": self.title,
            "isMandatory": false,
            "status": if self.hidden { "hidden" } else { "visible" },
            "type": {"key": self.kind.type_key(), "text": self.kind.type_text()},
            "isMultiple": matches!(self.kind, Kind::ManyItems | Kind::People),
            "options": options,
        })
    }
}

/// The ids are those of the reference's example, so that the example works here as printed.
pub(super) static FIELDS: [Field; 8] = [
    Field::new("146db0c4-de24-4818-a131-a27161bb7ad0", "Approvers", Kind::People),
    Field {
        options: &[
            ("70d42d78-899a-4d5e-8cf0-79a0e4a6b0b1", "E-mail"),
            ("fe68df23-432e-4c0f-9841-a018b7f46d0b", "File share"),
            ("0c4a7b18-5b8e-4f0b-9f25-6d1c4cf3b0a7", "VPN"),
        ],
        ..Field::new(
            "fef751d6-067d-431b-8a6d-667056eff6ee",
            "Affected services",
            Kind::ManyItems,
        )
    },
    Field::new(
        "4aad4ef9-3242-4bb6-87f7-29428567429f",
        "Steps to reproduce",
        Kind::TextArea,
    ),
    Field::new("7670050a-cf1a-4d3d-8179-5eba888dea5f", "Asset tag", Kind::Text),
    Field::new(
        "862bd88d-f691-4a7b-a89a-f6f48550fc27",
        "Work is blocked",
        Kind::Toggle,
    ),
    Field {
        options: &[
            ("f72541a9-c964-4c81-bc1a-4f1f2d948416", "Head office"),
            ("2f0de6a4-0b1f-4c3e-8a59-97c6d3b1e5d2", "Warehouse"),
        ],
        ..Field::new("5b9f56bc-ec6a-45a3-b7ce-c25e1d8cfd69", "Office", Kind::OneItem)
    },
    Field::new("7ee98e41-c4d0-4d4c-beb9-2b7f8f8c35c8", "Needed on", Kind::Date),
    Field {
        hidden: true,
        ..Field::new(
            "dcd58c80-3b0e-4a64-8a9c-5d7e1f2a6b93",
            "Cost centre owner",
            Kind::People,
        )
    },
];

/// Checks `customFields` of a create or an update. A null clears the field.
pub(super) fn check(values: &Map<String, Value>) -> Result<(), Refusal> {
    for (id, value) in values {
        let field = FIELDS.iter().find(|field| field.id == id && !field.hidden);
        let Some(field) = field else {
            return Err(Refusal::invalid(format!(
                "Custom field {id} not found or invalid definition"
            )));
        };
        if !value.is_null() {
            check_value(field, value)?;
        }
    }
    Ok(())
}

fn check_value(field: &Field, value: &Value) -> Result<(), Refusal> {
    let wrong = |expected: &str| {
        Err(Refusal::invalid(format!(
            "customFields.{} ({}) must be {expected}",
            field.id, field.title
        )))
    };
    match field.kind {
        Kind::Text | Kind::TextArea if !value.is_string() => wrong("text"),
        Kind::Toggle if !value.is_boolean() => wrong("a boolean"),
        Kind::Date if value.as_str().and_then(Moment::parse_date_time).is_none() => {
            wrong("an ISO date-time such as 2023-07-26T17:00:00Z")
        }
        Kind::People => {
            let Some(people) = value.as_array() else {
                return wrong("a list of {id, name, email}");
            };
            people
                .iter()
                .try_for_each(|entry| person(entry, &format!("customFields.{}", field.id)).map(|_| ()))
        }
        Kind::OneItem | Kind::ManyItems => {
            let Some(items) = value.as_array() else {
                return wrong("a list of option ids");
            };
            if field.kind == Kind::OneItem && items.len() > 1 {
                return wrong("a list with one option id");
            }
            let known = |item: &Value| field.options.iter().any(|(key, _)| item.as_str() == Some(key));
            if items.iter().all(known) {
                Ok(())
            } else {
                wrong("a list of this field's option ids")
            }
        }
        Kind::Text | Kind::TextArea | Kind::Toggle | Kind::Date => Ok(()),
    }
}

pub(super) struct Category {
    pub(super) id: &'static str,
    pub(super) text: &'static str,
    pub(super) color: &'static str,
    pub(super) deleted: bool,
    /// Text, and whether it is deleted.
    pub(super) tags: &'static [(&'static str, bool)],
}

/// The first category and its two last tags are those of the reference's example.
pub(super) static CATEGORIES: [Category; 3] = [
    Category {
        id: "2283653a-8d36-40eb-9a68-73eb3b331811",
        text: "Labels",
        color: "#0078d4",
        deleted: false,
        tags: &[
            ("vip", false),
            ("follow-up", false),
            ("paper", true),
            ("my tag", false),
            ("sdsad", false),
        ],
    },
    Category {
        id: "b1f6c0de-54a8-4f3a-8b1d-3c7e9a2d4f60",
        text: "Area",
        color: "#107c10",
        deleted: false,
        tags: &[
            ("hardware", false),
            ("software", false),
            ("network", false),
            ("access", false),
        ],
    },
    Category {
        id: "e7a9d3b2-1c5f-4e86-9d04-6b8f2a7c1e35",
        text: "Old areas",
        color: "#797775",
        deleted: true,
        tags: &[("fax", false)],
    },
];

/// Checks `tags` of a create or an update.
pub(super) fn check_tags(value: &Value) -> Result<Vec<Tag>, Refusal> {
    let shape = || Refusal::invalid("tags must be a list of {tagCategoryId, text}");
    value
        .as_array()
        .ok_or_else(shape)?
        .iter()
        .map(check_tag)
        .collect()
}

fn check_tag(value: &Value) -> Result<Tag, Refusal> {
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| Refusal::invalid("tags must be a list of {tagCategoryId, text}"))
    };
    let (id, text) = (text("tagCategoryId")?, text("text")?);
    let category = CATEGORIES
        .iter()
        .find(|category| is_guid(id) && category.id == id && !category.deleted);
    let Some(category) = category else {
        return Err(Refusal::invalid(format!("Tag category {id} not found")));
    };
    if !category
        .tags
        .iter()
        .any(|(known, deleted)| *known == text && !deleted)
    {
        return Err(Refusal::invalid(format!(
            "Tag {text} not found in category {}",
            category.text
        )));
    }
    Ok(Tag {
        category: id.to_owned(),
        text: text.to_owned(),
    })
}

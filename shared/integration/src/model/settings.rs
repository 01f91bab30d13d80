//! `settings`: what an installation fills in.

use crate::read::{Flag, Items, Literal, Required, Text, choice, object};

object! {
    /// One setting.
    struct Setting, "a setting" {
        /// What it holds.
        r#type: Required<SettingType>,
        /// Whether an installation must give it.
        required: Option<Flag>,
        /// What it is when an installation does not give it.
        default: Option<Literal>,
        /// The words of an `enum`.
        values: Option<Items<Text>>,
        /// What a `text` has to look like as a whole: a regular expression.
        pattern: Option<Text>,
        /// What it is for, for the person who installs.
        description: Option<Text>,
    }
}

choice! {
    /// The type of a setting.
    enum SettingType, "type of a setting" {
        Text = "text",
        Url = "url",
        Integer = "integer",
        Number = "number",
        Boolean = "boolean",
        Enum = "enum",
        List = "list",
        Object = "object",
    }
}

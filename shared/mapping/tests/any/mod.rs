//! Strategies for expressions, values and mappings of any kind.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Text made of the pieces of the language, which reaches further into it than random characters.
pub(crate) fn expression() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a"),
        Just("xs"),
        Just("item"),
        Just("$"),
        Just("."),
        Just("["),
        Just("]"),
        Just("("),
        Just(")"),
        Just("{"),
        Just("}"),
        Just(","),
        Just(":"),
        Just("=>"),
        Just("x => x"),
        Just("+"),
        Just("-"),
        Just("*"),
        Just("/"),
        Just("=="),
        Just("<"),
        Just(" IN "),
        Just(" NOT "),
        Just(" AND "),
        Just(" OR "),
        Just("IF "),
        Just(" THEN "),
        Just(" ELSE "),
        Just("$MAP("),
        Just(".$FILTER("),
        Just(".$TEXT()"),
        Just("$CONCAT("),
        Just("$LIST("),
        Just("$FLATTEN("),
        Just(".$REPLACE("),
        Just(".$SPLIT("),
        Just("$REDUCE(xs, (a, b) => "),
        Just("1"),
        Just("0.5"),
        Just("'é'"),
        Just("\"\\u00"),
        Just("null"),
        Just(" "),
        Just("\n"),
        Just("9223372036854775807"),
        Just("😀"),
    ];
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.concat())
}

/// An expression that follows the grammar: paths, conditions and functions in one another.
pub(crate) fn well_formed() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "$", "a", "xs", "b", "item", "a.xs", "xs[0]", "0", "'é'", "NULL",
    ]);
    leaf.prop_map(String::from).prop_recursive(4, 24, 3, |inner| {
        let of_one = prop::sample::select(vec![
            "(%).a",
            "(%).xs",
            "(%)[0]",
            "(%)[-1]",
            "(%)[1:]",
            "(%)[b]",
            "NOT (%)",
            "$LIST(%)",
            "$FLATTEN(%)",
            "$UNIQUE(%)",
            "$STRIP_HTML(%)",
            "$COALESCE(%)",
            "$LENGTH(%)",
            "$TEXT(%)",
            "$MAP(%, x => x.a)",
            "$MAP(%, x => $LIST(x))",
            "$FILTER(%, x => x)",
            "$FILTER(%, x => x.b)",
            "$FIND(%, x => x.a OR x.xs)",
            "$ANY(%, x => x)",
            "$ALL(%, x => x.xs)",
            "{'a': %}",
        ]);
        let of_two = prop::sample::select(vec![
            "(%) OR (~)",
            "(%) AND (~)",
            "IF % THEN ~ ELSE a",
            "IF a THEN % ELSE ~",
            "$COALESCE(%, ~)",
            "[%, ~]",
            "{'a': %, 'xs': ~}",
            "(%) == (~)",
            "(%) IN (~)",
        ]);
        prop_oneof![
            2 => (of_one, inner.clone()).prop_map(|(form, inner)| form.replace('%', &inner)),
            1 => (of_two, inner.clone(), inner).prop_map(|(form, one, other)| {
                let (before, behind) = form.split_once('~').unwrap();
                [before, behind].map(|part| part.replace('%', &one)).join(&other)
            }),
        ]
    })
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zé😀 {}#]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![Just("a"), Just("xs"), Just("item"), Just("b"), Just("key")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

pub(crate) fn mapping() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        expression().prop_map(Value::from),
        well_formed().prop_map(Value::from),
        value()
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let operator = prop_oneof![
            Just("MAP()"),
            Just("FILTER()"),
            Just("SORT()"),
            Just("COALESCE()"),
            Just("FLATTEN()"),
            Just("MERGE()"),
            Just("CONDITIONAL()"),
            Just("LOOKUP()"),
            Just("CONCAT()"),
            Just("RENDER()"),
            Just("STRIP_HTML()"),
            Just("EVAL()"),
            Just("WITH()"),
            Just("XS()"),
        ];
        let name = prop_oneof![
            Just("items"),
            Just("converter"),
            Just("key"),
            Just("condition"),
            Just("on_pass"),
            Just("mapping"),
            Just("expression"),
            Just("args"),
            Just("template"),
            Just("a.b"),
            Just("a"),
            Just("context"),
        ];
        let fields = prop::collection::vec((name, inner.clone()), 0..4)
            .prop_map(|fields| Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            fields.clone(),
            (operator, prop_oneof![fields, inner]).prop_map(|(name, arguments)| json!({ name: arguments })),
        ]
    })
}

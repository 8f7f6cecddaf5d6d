//! Selectors as Kubernetes' messages and queries show them. Pure.

use machinery::selector::LabelSelector;
use serde_json::Value;

/// A selector as Go prints the pointer to one.
pub(super) fn selector(selector: &Value) -> String {
    if selector.is_null() {
        return "nil".into();
    }
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let labels: String = labels.map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or_default())).collect();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let shown = |expression: &Value| {
        let field = |name: &str| expression[name].as_str().unwrap_or_default().to_owned();
        let values = expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let values: Vec<&str> = values.collect();
        format!(
            "LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
            field("key"),
            field("operator"),
            values.join(" ")
        )
    };
    let expressions: String = expressions.map(shown).collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}

/// A selector in the grammar of queries.
pub(super) fn selector_text(stated: &Value) -> Result<String, String> {
    LabelSelector::from_object(stated).map_err(|error| error.to_string())?;
    let list = |expression: &Value| {
        let values = expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        values.collect::<Vec<_>>().join(",")
    };
    let labels = stated["matchLabels"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let expressions = stated["matchExpressions"].as_array().into_iter().flatten().map(|expression| {
        let key = expression["key"].as_str().unwrap_or_default();
        match expression["operator"].as_str().unwrap_or_default() {
            "In" => format!("{key} in ({})", list(expression)),
            "NotIn" => format!("{key} notin ({})", list(expression)),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        }
    });
    Ok(labels.chain(expressions).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_are_shown_as_kubernetes_shows_them() {
        let stated = json!({
            "matchLabels": { "app": "web" },
            "matchExpressions": [
                { "key": "tier", "operator": "In", "values": ["a", "b"] },
                { "key": "old", "operator": "DoesNotExist" },
            ],
        });
        assert_eq!(selector(&Value::Null), "nil");
        assert_eq!(
            selector(&stated),
            "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{\
             LabelSelectorRequirement{Key:tier,Operator:In,Values:[a b],},\
             LabelSelectorRequirement{Key:old,Operator:DoesNotExist,Values:[],},},}"
        );
        assert_eq!(selector_text(&stated).as_deref(), Ok("app=web,tier in (a,b),!old"));
        assert_eq!(selector_text(&json!({})).as_deref(), Ok(""));
        let wrong = json!({ "matchExpressions": [{ "key": "a", "operator": "Like", "values": ["b"] }] });
        assert!(selector_text(&wrong).is_err());
    }
}

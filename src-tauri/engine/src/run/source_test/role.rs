//! The rights to ask the database team for, as commands for mongosh. `docs/database-team.md` has the same text.

use crate::query::source::SourceIdentity;

/// Name of the role that Tidemark's readers get.
const ROLE: &str = "tidemarkReader";

/// The commands that give a user the right to read some collections, and nothing else.
pub(super) fn least_privilege(source: &SourceIdentity, collections: &[&str]) -> String {
    let (database, role) = (quoted(&source.database), quoted(ROLE));
    let mut privileges: Vec<String> = Vec::new();
    for collection in collections {
        let privilege = format!(
            "    {{ resource: {{ db: {database}, collection: {} }}, actions: [\"find\"] }}",
            quoted(collection)
        );
        if !privileges.contains(&privilege) {
            privileges.push(privilege);
        }
    }
    privileges.push(format!(
        "    {{ resource: {{ db: {database}, collection: \"\" }}, actions: [\"listCollections\"] }}"
    ));
    let granted = format!("[{{ role: {role}, db: {database} }}]");
    let user = match &source.user {
        Some(user) => {
            let users = quoted(source.login.auth_source.as_deref().unwrap_or_else(|| {
                // The usual place of users whose password or certificate is checked elsewhere.
                if source.login.mechanism.is_some() { "$external" } else { "admin" }
            }));
            format!("db.getSiblingDB({users}).grantRolesToUser({}, {granted})", quoted(user))
        }
        None => format!(
            "db.getSiblingDB(\"admin\").createUser({{ user: \"tidemark\", pwd: passwordPrompt(), roles: {granted} }})"
        ),
    };
    format!(
        "db.getSiblingDB({database}).createRole({{\n  role: {role},\n  privileges: [\n{}\n  ],\n  roles: []\n}})\n{user}",
        privileges.join(",\n")
    )
}

/// A text as a JavaScript literal. A name can hold quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::source::Login;

    fn source(database: &str, user: Option<&str>) -> SourceIdentity {
        SourceIdentity::new(["db1"], None, database, "trades", user)
    }

    #[test]
    fn the_documentation_has_the_same_text() {
        let documented = include_str!("../../../../../docs/database-team.md");
        let text = least_privilege(&source("trading", Some("ann")), &["trades", "messages"]);
        assert!(documented.contains(&text), "not in docs/database-team.md:\n{text}");
    }

    #[test]
    fn names_are_quoted_and_each_collection_is_named_once() {
        let text = least_privilege(&source("de\"sk", None), &["t\\r", "t\\r"]);
        assert!(text.contains(r#"db: "de\"sk", collection: "t\\r""#), "{text}");
        assert_eq!(text.matches("[\"find\"]").count(), 1, "{text}");
        assert!(text.contains("pwd: passwordPrompt()"), "{text}");
    }

    #[test]
    fn a_user_gets_the_role_where_the_user_is() {
        let of = |login| least_privilege(&source("desk", Some("ann")).with_login(login), &["trades"]);
        let elsewhere = Login { auth_source: Some("people".to_owned()), ..Login::default() };
        assert!(of(elsewhere).contains(r#"getSiblingDB("people").grantRolesToUser("ann""#));
        let ldap = Login { mechanism: Some("PLAIN".to_owned()), ..Login::default() };
        assert!(of(ldap).contains(r#"getSiblingDB("$external").grantRolesToUser("ann""#));
    }
}

use mongodb::options::{ConnectionString, ReadPreference, Tls};
use proptest::prelude::*;

use super::*;

fn of_text(uri: &str) -> ConnectionDraft {
    edit_connection(&ConnectionEdit::Text { uri: uri.to_owned() })
}

fn of_form(form: &ConnectionForm) -> ConnectionDraft {
    edit_connection(&ConnectionEdit::Form { form: form.clone() })
}

/// The form of a text, which has no problem.
fn form(uri: &str) -> ConnectionForm {
    let draft = of_text(uri);
    assert_eq!(draft.problems, [], "{uri}");
    draft.form.expect("a form")
}

fn one_host() -> ConnectionForm {
    ConnectionForm { hosts: "db1:27017".to_owned(), ..ConnectionForm::default() }
}

fn with(change: impl FnOnce(&mut ConnectionForm)) -> ConnectionForm {
    let mut form = one_host();
    change(&mut form);
    form
}

fn messages(notes: &[FieldNote]) -> String {
    notes.iter().map(|note| format!("{:?}: {}", note.field, note.message)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_text_may_name_the_database_of_the_trades() {
    for (uri, database) in [
        ("mongodb://db1/desk", Some("desk")),
        ("mongodb+srv://ann:s3cret@db1.example/fx%20desk?authSource=admin", Some("fx desk")),
        ("mongodb://ann@db1/desk", Some("desk")),
        ("mongodb://ann@db1/admin", None),
        ("mongodb://db1/?replicaSet=rs0", None),
        ("mongodb://db1", None),
        ("mongodb://db1/%FF", None),
        ("desk", None),
        ("", None),
    ] {
        assert_eq!(of_text(uri).database.as_deref(), database, "{uri}");
    }
}

#[test]
fn a_form_is_written_as_a_short_text() {
    for (form, uri) in [
        (ConnectionForm::default(), ""),
        (one_host(), "mongodb://db1:27017/"),
        (with(|form| form.hosts = " db1 , db2:27018,".into()), "mongodb://db1,db2:27018/"),
        (with(|form| form.read_from = ReadFrom::Primary), "mongodb://db1:27017/?readPreference=primary"),
        (
            with(|form| {
                form.login = LoginKind::Password;
                form.user = "ann@desk/1:é".into();
                form.auth_database = "desk".into();
            }),
            "mongodb://ann%40desk%2F1%3A%C3%A9@db1:27017/?authSource=desk",
        ),
        (
            with(|form| {
                form.login = LoginKind::Ldap;
                form.user = "ann".into();
                form.tls = true;
            }),
            "mongodb://ann@db1:27017/?authMechanism=PLAIN&authSource=$external&tls=true",
        ),
        (
            with(|form| {
                form.login = LoginKind::Certificate;
                form.tls = true;
                form.certificate_file = "/srv/ann/my key&=.pem".into();
            }),
            "mongodb://db1:27017/?authMechanism=MONGODB-X509&authSource=$external&tls=true\
             &tlsCertificateKeyFile=/srv/ann/my%20key%26%3D.pem",
        ),
        (
            with(|form| {
                form.srv = true;
                form.hosts = "cluster.example.com".into();
                form.tls = true;
            }),
            "mongodb+srv://cluster.example.com/",
        ),
        (
            with(|form| {
                form.selection_seconds = "2.5".into();
                form.answer_seconds = "0".into();
                form.compressed = true;
                form.other_options = "?appName=desk&retryReads=false".into();
            }),
            "mongodb://db1:27017/?serverSelectionTimeoutMS=2500&socketTimeoutMS=0&compressors=zstd,snappy,zlib\
             &appName=desk&retryReads=false",
        ),
        (
            with(|form| form.other_options = "readPreferenceTags=dc:ny".into()),
            "mongodb://db1:27017/?readPreference=secondaryPreferred&readPreferenceTags=dc:ny",
        ),
        // A user is kept in the form while there is no login.
        (with(|form| form.user = "ann".into()), "mongodb://db1:27017/"),
    ] {
        let draft = of_form(&form);
        assert_eq!(draft.uri, uri);
    }
}

#[test]
fn a_text_is_read_as_a_form() {
    let read = form(
        "mongodb://ann%40x@db1,db2:27018/desk?replicaSet=rs0&tls=true&READPREFERENCE=nearest&connectTimeoutMS=1500\
         &appName=a%20b&authMechanism=SCRAM-SHA-256&compressors=zlib",
    );
    let expected = ConnectionForm {
        hosts: "db1,db2:27018".into(),
        replica_set: "rs0".into(),
        login: LoginKind::Password,
        user: "ann@x".into(),
        // A user is looked for in the database of the text unless authSource says otherwise.
        auth_database: "desk".into(),
        tls: true,
        read_from: ReadFrom::Nearest,
        connect_seconds: "1.5".into(),
        compressed: true,
        other_options: "appName=a%20b&authMechanism=SCRAM-SHA-256&compressors=zlib".into(),
        ..ConnectionForm::default()
    };
    assert_eq!(read, expected);
    assert!(form("mongodb+srv://cluster.example.com").tls, "it is the default there");
    assert!(!form("mongodb+srv://cluster.example.com/?tls=false").tls);
    assert!(form("mongodb://db1?ssl=true&tlsInsecure=true").any_certificate);
    assert!(form("mongodb://db1/?tlsInsecure=false").tls, "as the driver reads it");
    let ldap = form("mongodb://ann@db1/?authMechanism=PLAIN&authSource=$external&tls=true");
    assert_eq!((ldap.login, ldap.auth_database.as_str()), (LoginKind::Ldap, ""));
    assert_eq!(form("mongodb://%2Ftmp%2Fmongodb-27017.sock/").hosts, "/tmp/mongodb-27017.sock");
}

#[test]
fn a_choice_in_the_form_overrules_the_other_options() {
    let mut form = form("mongodb://ann@db1/?tls=true&authMechanism=SCRAM-SHA-1&compressors=zlib&appName=x");
    form.compressed = false;
    form.login = LoginKind::Ldap;
    let draft = of_form(&form);
    assert_eq!(draft.uri, "mongodb://ann@db1/?authMechanism=PLAIN&authSource=$external&tls=true&appName=x");
    assert_eq!(draft.form.expect("a form").other_options, "appName=x");
}

#[test]
fn secrets_are_moved_out_of_the_text() {
    let draft = of_text(
        "\"mongodb://ann:p%40s/s@db1/?tls=true&proxyHost=p1&proxyUsername=u&proxyPassword=a%20b\
         &tlsCertificateKeyFilePassword=open%21&authMechanismProperties=SERVICE_NAME:x\"",
    );
    assert_eq!(draft.uri, "mongodb://ann@db1/?tls=true&proxyHost=p1&proxyUsername=u");
    assert_eq!(draft.password.as_deref(), Some("p@s/s"));
    assert_eq!((draft.passphrase.as_deref(), draft.proxy_password.as_deref()), (Some("open!"), Some("a b")));
    assert_eq!(draft.problems, []);
    let warnings = messages(&draft.warnings);
    assert!(warnings.contains("authMechanismProperties"), "{warnings}");
    let draft = of_form(&with(|form| form.other_options = "proxyHost=p1&proxyPassword=s3cret".into()));
    assert_eq!(draft.proxy_password.as_deref(), Some("s3cret"));
    assert!(!format!("{}{:?}{}", draft.uri, draft.form, messages(&draft.problems)).contains("s3cret"));
    let certificate = of_text("mongodb://CN%3Dann:x@db1/?authMechanism=MONGODB-X509&tls=true");
    assert_eq!(certificate.password, None);
}

#[test]
fn a_whole_address_among_the_hosts_is_taken_apart() {
    let draft = of_form(&with(|form| form.hosts = "mongodb://bob:s3cret/x@db1:27018".into()));
    assert_eq!(draft.uri, "mongodb://bob@db1:27018/");
    assert_eq!(draft.password.as_deref(), Some("s3cret/x"));
    let form = draft.form.expect("a form");
    assert_eq!(
        (form.hosts.as_str(), form.user.as_str(), form.login),
        ("db1:27018", "bob", LoginKind::Password)
    );
    assert!(!messages(&draft.problems).contains("s3cret"));
    let named = with(|form| {
        form.hosts = "bob:s3cret@db1".into();
        form.user = "eve".into();
        form.login = LoginKind::Password;
    });
    let draft = of_form(&named);
    assert_eq!((draft.uri.as_str(), draft.password.as_deref()), ("mongodb://eve@db1/", Some("s3cret")));
}

#[test]
fn a_text_that_is_no_connection_string_has_no_form() {
    for text in ["http://db1/", "db1:27017", "mongodb://%ff@db1/", "mongo"] {
        let draft = of_text(text);
        assert_eq!(draft.form, None, "{text}");
        assert_eq!(draft.problems[0].field, ConnectionField::Text, "{text}");
    }
    let blank = of_text("  ");
    assert_eq!((blank.uri.as_str(), &blank.form), ("", &Some(ConnectionForm::default())));
    assert_eq!(blank.problems[0].field, ConnectionField::Hosts);
}

#[test]
fn a_problem_is_at_its_field() {
    use ConnectionField as F;
    for (uri, field, part) in [
        ("mongodb:///?tls=true", F::Hosts, "Enter a host"),
        ("mongodb://db1:27017,db2:x/", F::Hosts, "\"x\" is not a port"),
        ("mongodb://db1:0/", F::Hosts, "port"),
        ("mongodb://::1/", F::Hosts, "brackets"),
        ("mongodb://db 1/", F::Hosts, "not a host"),
        ("mongodb+srv://a.example.com,b.example.com/", F::Hosts, "one name"),
        ("mongodb+srv://a.example.com:27017/", F::Hosts, "no port"),
        ("mongodb://db1,db2/?directConnection=true", F::Direct, "one host, not 2"),
        ("mongodb+srv://a.example.com/?directConnection=true", F::Direct, "mongodb+srv"),
        ("mongodb://db1/?replicaSet=rs%200", F::ReplicaSet, "blanks"),
        ("mongodb://db1/?replicaSet=", F::ReplicaSet, "replicaSet="),
        ("mongodb://@db1/", F::User, "name of the user"),
        ("mongodb://db1/?authMechanism=PLAIN&tls=true", F::User, "name of the user"),
        ("mongodb://db1/?authMechanism=MONGODB-X509&tls=true", F::CertificateFile, "your certificate"),
        ("mongodb://ann@db1/?authMechanism=MONGODB-X509", F::Tls, "needs TLS"),
        ("mongodb://ann@db1/?authMechanism=MONGODB-X509&tls=true&authSource=x", F::AuthDatabase, "$external"),
        ("mongodb://ann@db1/?authMechanism=GSSAPI", F::Login, "Kerberos"),
        ("mongodb://ann@db1/?authMechanism=MONGODB-CR", F::Login, "4.0"),
        ("mongodb://db1/?tls=maybe", F::Tls, "tls=maybe"),
        ("mongodb://db1/?tls=true&tls=false", F::Tls, "twice"),
        ("mongodb://db1/?readPreference=closest", F::ReadFrom, "closest"),
        ("mongodb://db1/?connectTimeoutMS=2.5", F::ConnectSeconds, "connectTimeoutMS=2.5"),
        ("mongodb://db1/?tls=true&tlsCAFile=/no/such/file.pem", F::CaFile, "cannot be used"),
        ("mongodb://db1/?tls=true&tlsCAFile=/", F::CaFile, "not a file"),
        ("mongodb://db1/?tls=true&tlsCertificateKeyFile=/no/such.pem", F::CertificateFile, "cannot be used"),
        ("mongodb://db1/?tls=false&tlsCAFile=/no/such.pem", F::CaFile, "switch TLS on"),
        ("mongodb://db1/?tls=false&tlsAllowInvalidCertificates=true", F::AnyCertificate, "switch TLS on"),
        ("mongodb://db1/?tlsAllowInvalidHostnames=true", F::OtherOptions, "host name check"),
        ("mongodb://db1/?maxPoolSize=many&appName=x", F::OtherOptions, "maxPoolSize=many"),
        ("mongodb://db1/?appName", F::OtherOptions, "appName"),
        ("mongodb://db1/?readPreferenceTags=dc:ny", F::OtherOptions, "readPreferenceTags"),
        ("mongodb://db1/?proxyUsername=u", F::OtherOptions, "proxyUsername"),
        ("mongodb://db1/a b$c?tls=true", F::Text, "cannot be read"),
    ] {
        let draft = of_text(uri);
        let message = draft.problems.iter().find(|problem| problem.field == field);
        assert!(
            message.is_some_and(|problem| problem.message.contains(part)),
            "{uri}: {part} at {field:?}\n{}",
            messages(&draft.problems)
        );
        assert_eq!(draft.uri, uri);
    }
    let nameless = of_text("mongodb://db1/?authMechanism=PLAIN&tls=true");
    assert_eq!(nameless.problems.len(), 1, "{}", messages(&nameless.problems));
    for (form, field, part) in [
        (with(|form| form.selection_seconds = "soon".into()), F::SelectionSeconds, "soon"),
        (with(|form| form.answer_seconds = "-1".into()), F::AnswerSeconds, "-1"),
        (with(|form| form.other_options = "tls=true".into()), F::OtherOptions, "field of its own"),
        (with(|form| form.hosts = "mongodb://db1".into()), F::Hosts, "goes into the text"),
        (with(|form| form.login = LoginKind::Password), F::User, "name of the user"),
    ] {
        let draft = of_form(&form);
        let message = draft.problems.iter().find(|problem| problem.field == field);
        assert!(
            message.is_some_and(|problem| problem.message.contains(part)),
            "{form:?}\n{}",
            messages(&draft.problems)
        );
        assert_eq!(draft.form, Some(form), "what was typed stays");
    }
}

#[test]
fn a_warning_does_not_stand_in_the_way() {
    use ConnectionField as F;
    for (uri, field, part) in [
        ("mongodb://db1/", F::Tls, "Without TLS"),
        ("mongodb://localhost,db1/", F::Tls, "Without TLS"),
        ("mongodb://db1/?tls=true&tlsInsecure=true", F::AnyCertificate, "any certificate"),
        ("mongodb://ann@localhost/?authMechanism=PLAIN", F::Login, "plain text"),
        ("mongodb://localhost/?colour=red", F::OtherOptions, "colour"),
        ("mongodb://localhost/?compressors=lz4,zlib", F::Compressed, "lz4"),
    ] {
        let draft = of_text(uri);
        assert_eq!(draft.problems, [], "{uri}");
        let message = draft.warnings.iter().find(|warning| warning.field == field);
        assert!(message.is_some_and(|warning| warning.message.contains(part)), "{uri}: {:?}", draft.warnings);
    }
    for uri in ["mongodb://localhost:27017/", "mongodb://127.0.0.1,[::1]:27018/", "mongodb://db1/?tls=true"] {
        assert_eq!(of_text(uri).warnings, [], "{uri}");
    }
}

fn seconds() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[1-9][0-9]{0,4}", "[0-9]\\.[0-9]{0,2}[1-9]", Just("0".to_owned())]
}

fn login() -> impl Strategy<Value = LoginKind> {
    prop_oneof![
        Just(LoginKind::None),
        Just(LoginKind::Password),
        Just(LoginKind::Certificate),
        Just(LoginKind::Ldap)
    ]
}

fn read_from() -> impl Strategy<Value = ReadFrom> {
    prop_oneof![
        Just(ReadFrom::Primary),
        Just(ReadFrom::PrimaryPreferred),
        Just(ReadFrom::Secondary),
        Just(ReadFrom::SecondaryPreferred),
        Just(ReadFrom::Nearest)
    ]
}

/// A text of any characters without blanks around it.
fn any_text() -> impl Strategy<Value = String> {
    "\\PC{0,12}".prop_map(|text| text.trim().to_owned())
}

prop_compose! {
    fn any_form()(
        srv: bool,
        hosts in prop_oneof!["[a-z]{1,8}(:[1-9][0-9]{0,3})?(,[a-z]{1,8}){0,2}", Just("[::1]:27017,/tmp/a b.sock".to_owned())],
        texts in (any_text(), any_text(), any_text(), any_text(), any_text()),
        flags in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        (login, read_from) in (login(), read_from()),
        (selection, connect, answer) in (seconds(), seconds(), seconds()),
        other_options in prop_oneof![
            Just(""),
            Just("appName=desk@london&retryReads=false"),
            Just("maxStalenessSeconds=120&readPreferenceTags=dc:ny&readPreferenceTags="),
            Just("colour=%20red"),
        ],
    ) -> ConnectionForm {
        let (user, auth_database, replica_set, ca_file, certificate_file) = texts;
        let (direct, tls, any_certificate, compressed) = flags;
        let has_login = login != LoginKind::None;
        let is_named = matches!(login, LoginKind::Password | LoginKind::Ldap) && user.is_empty();
        ConnectionForm {
            srv,
            hosts,
            replica_set,
            direct,
            login,
            user: if is_named { "ann".to_owned() } else if has_login { user } else { String::new() },
            auth_database: if has_login { auth_database } else { String::new() },
            tls,
            ca_file,
            certificate_file,
            any_certificate,
            read_from,
            selection_seconds: selection,
            connect_seconds: connect,
            answer_seconds: answer,
            compressed,
            other_options: other_options.to_owned(),
        }
    }
}

/// Options that stand for themselves in any connection string; each name at most once.
const OPTIONS: [&str; 24] = [
    "replicaSet=rs0",
    "directConnection=false",
    "authSource=desk%20x",
    "authMechanism=SCRAM-SHA-256",
    "tls=true",
    "tlsAllowInvalidCertificates=true",
    "tlsAllowInvalidCertificates=false",
    "tlsCAFile=%2Fetc%2Fa%26b.pem",
    "readPreference=nearest",
    "readPreference=secondaryPreferred",
    "serverSelectionTimeoutMS=1",
    "connectTimeoutMS=20010",
    "socketTimeoutMS=0",
    "compressors=zlib,snappy",
    "compressors=zstd,snappy,zlib",
    "zlibCompressionLevel=3",
    "appName=a%20b@c",
    "retryReads=false",
    "readConcernLevel=local",
    "w=majority",
    "maxPoolSize=7",
    "heartbeatFrequencyMS=5000",
    "srvMaxHosts=0",
    "proxyHost=p1",
];

/// What a connection string means, in words.
fn meaning(uri: &str) -> String {
    let mut parsed = ConnectionString::parse(uri).unwrap_or_else(|error| panic!("{uri}: {error}"));
    // Means the same if it is left out.
    parsed.read_preference =
        parsed.read_preference.or(Some(ReadPreference::SecondaryPreferred { options: None }));
    if let Some(ReadPreference::SecondaryPreferred { options }) = &mut parsed.read_preference {
        *options =
            options.take().filter(|options| options.max_staleness.is_some() || options.tag_sets.is_some());
    }
    parsed.direct_connection = parsed.direct_connection.filter(|direct| *direct);
    if let Some(Tls::Enabled(tls)) = &mut parsed.tls {
        tls.allow_invalid_certificates = tls.allow_invalid_certificates.filter(|any| *any);
    }
    // The database in the path only matters as the user's authentication database.
    let database = parsed.default_database.take();
    if let Some(credential) = &mut parsed.credential {
        credential.source = credential.source.take().or(database);
    }
    format!("{parsed:?}")
}

proptest! {
    #[test]
    fn a_form_survives_its_text(form in any_form()) {
        let uri = of_form(&form).uri;
        prop_assert_eq!(of_text(&uri).form, Some(form), "{}", uri);
    }

    #[test]
    fn a_text_means_the_same_after_its_form(
        srv in prop::bool::weighted(0.2),
        user in prop::option::of("[a-z%]{1,3}|CN%3Dann%2C%20x|%E2%82%AC"),
        database in prop_oneof![Just(""), Just("/"), Just("/desk")],
        chosen in prop::sample::subsequence(OPTIONS.to_vec(), 0..8).prop_shuffle(),
    ) {
        let hosts = if srv { "cluster.example.com" } else { "db1:27017,[::1]" };
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let scheme = if srv { "mongodb+srv" } else { "mongodb" };
        let question = if chosen.is_empty() { "" } else { "?" };
        let uri = format!("{scheme}://{user}{hosts}{database}{question}{}", chosen.join("&"));
        // Some names are twice, and some options need others.
        prop_assume!(ConnectionString::parse(&uri).is_ok());
        let form = of_text(&uri).form;
        prop_assert!(form.is_some(), "{}", uri);
        let back = of_form(&form.unwrap_or_default()).uri;
        prop_assert_eq!(meaning(&back), meaning(&uri), "{} {}", uri, back);
    }
}

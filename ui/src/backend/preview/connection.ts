// A rough imitation of how the engine reads a connection string. It is for looking at the form alone.

import type { ConnectionDraft, ConnectionEdit, ConnectionForm, FieldNote } from "../types";

/** A form in which nothing was entered, as the engine has it. */
export const BLANK_FORM: ConnectionForm = {
  srv: false,
  hosts: "",
  replica_set: "",
  direct: false,
  login: "none",
  user: "",
  auth_database: "",
  tls: false,
  ca_file: "",
  certificate_file: "",
  any_certificate: false,
  read_from: "secondary_preferred",
  selection_seconds: "",
  connect_seconds: "",
  answer_seconds: "",
  compressed: false,
  other_options: "",
};

const NOTHING = { database: null, passphrase: null, proxy_password: null, problems: [], warnings: [] };

function note(field: FieldNote["field"], message: string): FieldNote {
  return { field, message };
}

function ofText(uri: string): ConnectionDraft {
  const found = /^mongodb(\+srv)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(
    uri,
  );
  if (found === null) {
    const problems = [note("text", "A connection string begins with mongodb:// or mongodb+srv://.")];
    return { uri, form: null, password: null, ...NOTHING, problems: uri === "" ? [] : problems };
  }
  const [, srv, user = "", password = null, hosts = "", database = "", options = ""] = found;
  const given = new URLSearchParams(options);
  const take = (name: string) => {
    const value = given.get(name) ?? "";
    given.delete(name);
    return value;
  };
  const form: ConnectionForm = {
    ...BLANK_FORM,
    srv: srv !== undefined,
    hosts,
    user,
    login: user === "" ? "none" : "password",
    replica_set: take("replicaSet"),
    tls: take("tls") === "true" || srv !== undefined,
    auth_database: take("authSource"),
    ca_file: take("tlsCAFile"),
    certificate_file: take("tlsCertificateKeyFile"),
    other_options: given.toString(),
  };
  const problems = hosts === "" ? [note("hosts", "Name at least one host.")] : [];
  const warnings = form.tls ? [] : [note("tls", "The connection is not encrypted.")];
  return {
    ...NOTHING,
    uri: password === null ? uri : uri.replace(`:${password}@`, "@"),
    form,
    database: database === "" || database === "admin" ? null : database,
    password,
    problems,
    warnings,
  };
}

function ofForm(form: ConnectionForm): ConnectionDraft {
  const options = new URLSearchParams(form.other_options);
  const give = (name: string, value: string) => value !== "" && options.set(name, value);
  give("replicaSet", form.replica_set);
  give("authSource", form.auth_database);
  give("tlsCAFile", form.ca_file);
  give("tlsCertificateKeyFile", form.certificate_file);
  if (form.tls && !form.srv) options.set("tls", "true");
  const user = form.user === "" ? "" : `${form.user}@`;
  const query = options.size === 0 ? "" : `?${options.toString()}`;
  const read = ofText(`mongodb${form.srv ? "+srv" : ""}://${user}${form.hosts.replaceAll(" ", "")}/${query}`);
  return { ...read, form };
}

export function editConnection(edit: ConnectionEdit): ConnectionDraft {
  return edit.by === "text" ? ofText(edit.uri) : ofForm(edit.form);
}

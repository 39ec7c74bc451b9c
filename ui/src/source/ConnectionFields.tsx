import type { ConnectionField, ConnectionForm, FieldNote, LoginKind, ReadFrom } from "../backend";
import { Choice } from "./Choice";
import { FileField } from "./FileField";
import { FormField } from "./FormField";
import { Tick } from "./Tick";

interface Props {
  form: ConnectionForm | null;
  problems: readonly FieldNote[];
  change: (part: Partial<ConnectionForm>) => void;
}

const LOGINS: Record<LoginKind, string> = {
  none: "No login",
  password: "User and password",
  certificate: "Certificate (X.509)",
  ldap: "User and password (LDAP)",
};

const READS: Record<ReadFrom, string> = {
  primary: "The primary only",
  primary_preferred: "The primary if possible",
  secondary: "A secondary only",
  secondary_preferred: "A secondary if possible",
  nearest: "The nearest member",
};

type TextKey = {
  [Key in keyof ConnectionForm]: ConnectionForm[Key] extends string ? Key : never;
}[keyof ConnectionForm];

/** The connection string, field by field. */
export function ConnectionFields({ form, problems, change }: Props) {
  if (form === null) {
    return <p className="faint">This connection string cannot be shown as a form.</p>;
  }
  const problem = (field: ConnectionField) => problems.find((note) => note.field === field)?.message ?? null;
  const text = (name: Exclude<TextKey, "login" | "read_from">, label: string, placeholder = "") => ({
    label,
    placeholder,
    name,
    value: form[name],
    problem: problem(name),
    onChange: (value: string) => change({ [name]: value }),
  });
  const tick = (name: "srv" | "direct" | "tls" | "any_certificate" | "compressed", label: string) => (
    <Tick
      label={label}
      isSelected={form[name]}
      problem={nameProblem(name)}
      // A cluster behind one DNS name expects TLS unless it says otherwise.
      onChange={(on) => change(name === "srv" && on ? { srv: on, tls: true } : { [name]: on })}
    />
  );
  const nameProblem = (name: string) => problems.find((note) => note.field === name)?.message ?? null;
  const hasUser = form.login === "password" || form.login === "ldap";
  return (
    <div className="source-form">
      <FormField
        {...text(
          "hosts",
          form.srv ? "DNS name" : "Hosts",
          form.srv ? "cluster.example" : "db1:27017, db2:27017",
        )}
      />
      {tick("srv", "One DNS name stands for all hosts (mongodb+srv)")}
      <div className="two-fields">
        <FormField {...text("replica_set", "Replica set")} />
        <Choice
          label="Read from"
          names={READS}
          value={form.read_from}
          problem={problem("read_from")}
          onChange={(read_from) => change({ read_from })}
        />
      </div>
      {tick("direct", "Connect to this one host only")}
      <div className="two-fields">
        <Choice
          label="Login"
          names={LOGINS}
          value={form.login}
          problem={problem("login")}
          onChange={(login) => change({ login })}
        />
        {(hasUser || form.user !== "") && <FormField {...text("user", "User")} />}
        {hasUser && <FormField {...text("auth_database", "Database of the user", "the usual one")} />}
      </div>
      {tick("tls", "Encrypt the connection (TLS)")}
      {form.tls && tick("any_certificate", "Accept any certificate of the server (not safe)")}
      {form.tls && <FileField {...text("ca_file", "Certificate authority (file)", "the system's")} />}
      {(form.tls || form.login === "certificate") && (
        <FileField {...text("certificate_file", "Client certificate and key (file)", "none")} />
      )}
      <div className="two-fields">
        <FormField {...text("selection_seconds", "Seconds to find a server", "the usual")} />
        <FormField {...text("connect_seconds", "Seconds to connect", "the usual")} />
        <FormField {...text("answer_seconds", "Seconds to answer", "no limit")} />
      </div>
      {tick("compressed", "Ask the server to compress what it sends")}
      <FormField {...text("other_options", "Other options", "appName=desk&retryReads=false")} />
    </div>
  );
}

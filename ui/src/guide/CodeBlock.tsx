import { CopyButton } from "../controls/CopyButton";

/** Commands to read and to copy. */
export function CodeBlock({ text }: { text: string }) {
  const code = text.trimEnd();
  const [first = ""] = code.split("\n");
  return (
    <div className="guide-code">
      <pre className="code-block" tabIndex={0}>
        {code}
      </pre>
      <CopyButton text={code} about={first} quiet />
    </div>
  );
}

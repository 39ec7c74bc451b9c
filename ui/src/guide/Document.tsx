import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";

import { CodeBlock } from "./CodeBlock";

const PLUGINS = [remarkGfm];

const COMPONENTS: Components = {
  // The dialog has the title.
  h1: () => null,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  // A link would lead the window away from itself: its address can be read and copied.
  a: ({ href, children }) => (
    <>
      {children}
      {href !== undefined && /^https?:/.test(href) && children !== href && ` (${href})`}
    </>
  ),
  img: ({ alt }) => alt ?? null,
  pre: ({ node }) => <CodeBlock text={textOf(node)} />,
};

/** An element of the document, or its text. */
interface DocumentNode {
  value?: string;
  children?: DocumentNode[];
}

function textOf(node: unknown): string {
  const { value, children } = (node ?? {}) as DocumentNode;
  return value ?? children?.map(textOf).join("") ?? "";
}

/** A document that comes with Tidemark, written in Markdown. */
export function Document({ text }: { text: string }) {
  return (
    <Markdown remarkPlugins={PLUGINS} components={COMPONENTS}>
      {text}
    </Markdown>
  );
}

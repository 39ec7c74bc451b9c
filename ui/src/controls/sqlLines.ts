// The commands of SQL on an answer: a part of the table in commands.ts.

import type { Line, Remark } from "./commandLine";

export const SQL = [
  { does: "Run it", keys: { run_sql: ["Ctrl+Enter"] }, names: { run_sql: "Run the SQL" } },
  { does: "Cancel it", keys: { cancel_sql: ["Escape"] } },
  {
    does: "Go to what was run before, or back",
    keys: { older_sql: ["Alt+ArrowUp"], newer_sql: ["Alt+ArrowDown"] },
  },
] as const satisfies readonly (Line | Remark)[];

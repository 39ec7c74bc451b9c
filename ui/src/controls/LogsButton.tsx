import { useState } from "react";
import { Button } from "react-aria-components";

import { toFailure } from "../backend";
import { useBackend } from "../backend/context";

/** Shows the log files in the system's file manager, or says where they are. */
export function LogsButton() {
  const backend = useBackend();
  const [problem, setProblem] = useState("");
  return (
    <div className="logs" data-testid="logs">
      <Button
        className="button quiet small"
        onPress={() => {
          setProblem("");
          backend.showLogs().catch((error: unknown) => {
            const { message, next } = toFailure(error);
            setProblem(`${message} ${next}`);
          });
        }}
      >
        Show logs
      </Button>
      <span role="status">{problem}</span>
    </div>
  );
}

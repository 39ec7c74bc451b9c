import { Component, type ContextType, type ReactNode } from "react";
import { Button } from "react-aria-components";

import { BackendContext } from "../backend/context";
import { LogsButton } from "../controls/LogsButton";
import { problemText } from "./problems";

interface Props {
  /** What is inside, as the user calls it. */
  what: string;
  children: ReactNode;
}

/** Keeps the rest of the window alive when a part of it breaks, and says so. */
export class ErrorBoundary extends Component<Props, { broken: string | null }> {
  static override contextType = BackendContext;
  declare context: ContextType<typeof BackendContext>;
  override state = { broken: null };

  static getDerivedStateFromError(error: unknown): { broken: string } {
    return { broken: error instanceof Error ? error.message : String(error) };
  }

  override componentDidCatch(error: unknown): void {
    void this.context?.logProblem(`${this.props.what} could not be shown: ${problemText(error)}`);
  }

  override render(): ReactNode {
    if (this.state.broken === null) return this.props.children;
    return (
      <div className="note note-bad broken" role="alert" data-testid="broken">
        <div className="note-body">
          <strong>{this.props.what} could not be shown.</strong> Nothing in the cache was lost.
          <details className="note-detail">
            <summary>Technical details</summary>
            <code>{this.state.broken}</code>
            <LogsButton />
          </details>
        </div>
        <Button className="button small" onPress={() => this.setState({ broken: null })}>
          Try again
        </Button>
      </div>
    );
  }
}

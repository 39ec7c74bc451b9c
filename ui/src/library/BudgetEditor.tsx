import { useState } from "react";
import {
  Button,
  FieldError,
  Form,
  Input,
  Label,
  TextField,
  ToggleButton,
  ToggleButtonGroup,
} from "react-aria-components";

import { type CachedQuery, type CacheUsage, type EvictionPreview, type Failure, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { plural } from "../controls/format";
import { budgetFields, type BudgetUnit, readBudget, sizeText, UNIT_BYTES } from "./budget";
import { cachedName, unnamedText } from "./cachedText";

interface Props {
  usage: CacheUsage;
  queries: readonly CachedQuery[];
  setBudget: (bytes: number) => Promise<void>;
  close: () => void;
}

/** A budget that has to be confirmed, and what it would evict. */
interface Asked {
  bytes: number;
  preview: EvictionPreview;
}

/** Edits the budget. A budget that evicts queries has to be confirmed. */
export function BudgetEditor({ usage, queries, setBudget, close }: Props) {
  const backend = useBackend();
  const [held] = useState(() => budgetFields(usage.budget));
  const [number, setNumber] = useState(held.number);
  const [unit, setUnit] = useState<BudgetUnit>(held.unit);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [doing, setDoing] = useState<"checking" | "setting" | null>(null);
  const busy = doing !== null;

  const failed = (error: unknown) => {
    setDoing(null);
    setAsked(null);
    setFailure(toFailure(error));
  };
  const apply = (bytes: number) => {
    setDoing("setting");
    setFailure(null);
    setBudget(bytes).then(close, failed);
  };
  const submit = () => {
    if (busy) return;
    const read = readBudget(number, unit);
    if ("problem" in read) return setProblem(read.problem);
    setDoing("checking");
    setFailure(null);
    backend.previewEviction(read.bytes).then((preview) => {
      // Nothing to decide: the cache fits, and nothing has to be removed for that.
      if (preview.queries.length === 0 && preview.left <= read.bytes) return apply(read.bytes);
      setDoing(null);
      setAsked({ bytes: read.bytes, preview });
    }, failed);
  };

  if (asked !== null) {
    return (
      <Confirm
        asked={asked}
        queries={queries}
        busy={busy}
        back={() => setAsked(null)}
        go={() => apply(asked.bytes)}
      />
    );
  }
  return (
    <Form
      className="budget-form"
      validationBehavior="aria"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextField
        className="text-field"
        value={number}
        isInvalid={problem !== null}
        // What is being checked or set must not change meanwhile.
        isReadOnly={busy}
        onChange={(text) => {
          setNumber(text);
          setProblem(null);
        }}
        autoFocus
      >
        <Label className="field-label">Maximum cache size</Label>
        <div className="two-fields">
          <Input className="input num" inputMode="decimal" autoComplete="off" data-testid="budget-input" />
          <ToggleButtonGroup
            className="segmented"
            aria-label="Unit"
            selectionMode="single"
            disallowEmptySelection
            isDisabled={busy}
            selectedKeys={[unit]}
            onSelectionChange={(keys) => {
              setUnit(keys.has("MB") ? "MB" : "GB");
              setProblem(null);
            }}
          >
            {(Object.keys(UNIT_BYTES) as BudgetUnit[]).map((name) => (
              <ToggleButton key={name} className="segment-button" id={name} data-testid={`budget-${name}`}>
                {name}
              </ToggleButton>
            ))}
          </ToggleButtonGroup>
        </div>
        <FieldError className="field-error" data-testid="budget-problem">
          {problem}
        </FieldError>
      </TextField>
      <p className="faint budget-hint">
        If the cache grows beyond this, the least recently used queries are removed, except pinned ones.
      </p>
      {failure && <FailureNote failure={failure} testId="budget-failure" />}
      <div className="buttons">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button
          className="button primary"
          type="submit"
          aria-disabled={busy || undefined}
          data-testid="budget-set"
        >
          {doing === "checking" ? "Checking" : "Set"}
        </Button>
      </div>
    </Form>
  );
}

/** At most this many queries are named before they are evicted; the rest are counted. */
const NAMED = 6;

interface ConfirmProps {
  asked: Asked;
  queries: readonly CachedQuery[];
  busy: boolean;
  back: () => void;
  go: () => void;
}

function Confirm({ asked, queries, busy, back, go }: ConfirmProps) {
  const { queries: evicted, left, newer } = asked.preview;
  const budget = sizeText(asked.bytes);
  const rest = evicted.length - NAMED;
  return (
    <div
      className="budget-form"
      role="group"
      aria-label="Confirm the new budget"
      data-testid="budget-confirm"
    >
      {evicted.length === 0 ? (
        <p role="alert">The cache uses more than {budget}, but nothing can be removed.</p>
      ) : (
        <>
          <p role="alert">
            The cache uses more than {budget}. {plural(evicted.length, "query", "queries")} will be removed,
            the least recently used first:
          </p>
          <ul className="budget-going" data-testid="budget-going">
            {evicted.slice(0, NAMED).map((signature) => (
              <Evicted
                key={signature}
                signature={signature}
                query={queries.find((query) => query.signature === signature)}
              />
            ))}
            {rest > 0 && <li className="faint">and {rest} more</li>}
          </ul>
        </>
      )}
      {left > asked.bytes && (
        <p className="over">
          Everything that remains is{" "}
          {newer > 0 ? "pinned, in use or written by a newer Tidemark" : "pinned or in use"}. It takes{" "}
          {sizeText(left)}, which is more than {budget}.
        </p>
      )}
      <p className="faint budget-hint">MongoDB is not affected; removed days can be fetched again.</p>
      <div className="buttons">
        <Button className="button" onPress={back} autoFocus>
          Back
        </Button>
        <Button className="button danger" isDisabled={busy} onPress={go} data-testid="budget-go">
          {evicted.length === 0 ? "Set anyway" : "Remove and set"}
        </Button>
      </div>
    </div>
  );
}

/** A query that would be evicted. The list may not have it yet: then only its signature is known. */
function Evicted({ signature, query }: { signature: string; query: CachedQuery | undefined }) {
  return (
    <li>
      <strong>{query === undefined ? unnamedText({ signature }) : cachedName(query)}</strong>{" "}
      {query !== undefined && (
        <span className="faint num">
          {query.failure === null && `${plural(query.days, "day")}, `}
          {sizeText(query.bytes)}
        </span>
      )}
    </li>
  );
}

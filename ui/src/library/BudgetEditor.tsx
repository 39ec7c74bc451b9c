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

import { type CachedQuery, type CacheUsage, type Failure, toFailure } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { plural } from "../controls/format";
import {
  budgetFields,
  type BudgetUnit,
  type Eviction,
  evictUntilFits,
  readBudget,
  sizeText,
  UNIT_BYTES,
} from "./budget";
import { cachedName } from "./cachedText";

interface Props {
  usage: CacheUsage;
  queries: readonly CachedQuery[];
  setBudget: (bytes: number) => Promise<void>;
  close: () => void;
}

/** A budget that has to be confirmed, and what it would evict. */
interface Asked {
  bytes: number;
  eviction: Eviction;
}

/** Edits the budget. A budget that evicts queries has to be confirmed. */
export function BudgetEditor({ usage, queries, setBudget, close }: Props) {
  const [held] = useState(() => budgetFields(usage.budget));
  const [number, setNumber] = useState(held.number);
  const [unit, setUnit] = useState<BudgetUnit>(held.unit);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);

  const apply = (bytes: number) => {
    setBusy(true);
    setFailure(null);
    setBudget(bytes).then(close, (error: unknown) => {
      setBusy(false);
      setAsked(null);
      setFailure(toFailure(error));
    });
  };
  const submit = () => {
    const read = readBudget(number, unit);
    if ("problem" in read) return setProblem(read.problem);
    if (read.bytes >= usage.bytes) return apply(read.bytes);
    setAsked({ bytes: read.bytes, eviction: evictUntilFits(queries, usage.bytes, read.bytes) });
  };

  if (asked !== null) {
    return <Confirm asked={asked} busy={busy} back={() => setAsked(null)} go={() => apply(asked.bytes)} />;
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
        <Button className="button primary" type="submit" isDisabled={busy} data-testid="budget-set">
          Set
        </Button>
      </div>
    </Form>
  );
}

/** At most this many queries are named before they are evicted; the rest are counted. */
const NAMED = 6;

interface ConfirmProps {
  asked: Asked;
  busy: boolean;
  back: () => void;
  go: () => void;
}

function Confirm({ asked, busy, back, go }: ConfirmProps) {
  const { queries, left } = asked.eviction;
  const budget = sizeText(asked.bytes);
  const rest = queries.length - NAMED;
  return (
    <div
      className="budget-form"
      role="group"
      aria-label="Confirm the new budget"
      data-testid="budget-confirm"
    >
      {queries.length === 0 ? (
        <p role="alert">Nothing can be removed: every cached query is pinned.</p>
      ) : (
        <>
          <p role="alert">
            The cache uses more than {budget}. {plural(queries.length, "query", "queries")} will be removed,
            the least recently used first:
          </p>
          <ul className="budget-going" data-testid="budget-going">
            {queries.slice(0, NAMED).map((query) => (
              <li key={query.signature}>
                <strong>{cachedName(query)}</strong>{" "}
                <span className="faint num">
                  {query.failure === null && `${plural(query.days, "day")}, `}
                  {sizeText(query.bytes)}
                </span>
              </li>
            ))}
            {rest > 0 && <li className="faint">and {rest} more</li>}
          </ul>
        </>
      )}
      {left > asked.bytes && (
        <p className="over">
          Pinned queries use {sizeText(left)}, which is more than {budget}.
        </p>
      )}
      <p className="faint budget-hint">MongoDB is not affected; removed days can be fetched again.</p>
      <div className="buttons">
        <Button className="button" onPress={back} autoFocus>
          Back
        </Button>
        <Button className="button danger" isDisabled={busy} onPress={go} data-testid="budget-go">
          {queries.length === 0 ? "Set anyway" : "Remove and set"}
        </Button>
      </div>
    </div>
  );
}

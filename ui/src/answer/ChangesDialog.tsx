import { useId, useMemo, useState } from "react";
import {
  Button,
  Dialog,
  Heading,
  Modal,
  ModalOverlay,
  ToggleButton,
  ToggleButtonGroup,
} from "react-aria-components";

import type { Changes } from "../backend";
import { CopyButton } from "../controls/CopyButton";
import { count, cutText, plural } from "../controls/format";
import { weekday } from "../query/days";
import { ChangeEntry } from "./ChangeEntry";
import {
  byDay,
  CHANGE_KINDS,
  changesText,
  type DayChanges,
  entryText,
  KIND_HINTS,
  KIND_LABELS,
  type KindFilter,
  listedCounts,
  listText,
  ofKind,
  omittedText,
} from "./changes";

interface Props {
  changes: Changes;
  whole: boolean;
  title: string;
  close: () => void;
}

/** Entries drawn per step, so that a long list opens quickly. */
const STEP = 100;

/** The messages that differ, by day. */
export function ChangesDialog({ changes, whole, title, close }: Props) {
  const [filter, setFilter] = useState<KindFilter>("all");
  const [drawn, setDrawn] = useState(STEP);
  const counts = useMemo(() => listedCounts(changes.messages), [changes]);
  const chosen = useMemo(() => ofKind(changes.messages, filter), [changes, filter]);
  const days = useMemo(() => byDay(chosen.slice(0, drawn)), [chosen, drawn]);
  const all = useMemo(() => listText(title, changes, whole, filter), [title, changes, whole, filter]);
  const omitted = omittedText(changes);
  const rest = chosen.length - drawn;
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal modal-wide">
        <Dialog className="dialog changes-dialog" data-testid="changes-dialog">
          <Heading slot="title" className="dialog-title">
            Changes at the source
          </Heading>
          <p className="changes-of">
            <span className="faint">{cutText(title, 400)}</span>
            <span>{changesText(changes, whole)}</span>
          </p>
          <div className="changes-tools">
            <ToggleButtonGroup
              className="segmented"
              aria-label="Kind of change"
              selectionMode="single"
              disallowEmptySelection
              selectedKeys={[filter]}
              onSelectionChange={(keys) => {
                setFilter([...keys][0] as KindFilter);
                setDrawn(STEP);
              }}
            >
              <ToggleButton className="segment-button" id="all" data-testid="changes-filter-all">
                All <span className="num">{count(counts.all)}</span>
              </ToggleButton>
              {CHANGE_KINDS.map((kind) => (
                <ToggleButton
                  key={kind}
                  className="segment-button"
                  id={kind}
                  isDisabled={counts[kind] === 0}
                  data-testid={`changes-filter-${kind}`}
                >
                  <span className="change-dot" data-kind={kind} aria-hidden="true" /> {KIND_LABELS[kind]}{" "}
                  <span className="num">{count(counts[kind])}</span>
                </ToggleButton>
              ))}
            </ToggleButtonGroup>
            <span className="visually-hidden" role="status">
              {plural(chosen.length, "change")} listed
            </span>
            <span className="spacer" />
            <CopyButton
              text={all}
              label={filter === "all" ? "Copy all" : "Copy these"}
              testId="changes-copy"
            />
          </div>
          {omitted !== null && (
            <p className="note note-partial" data-testid="changes-omitted">
              {omitted}
            </p>
          )}
          {/* Focusable, so that the keyboard can scroll it. */}
          <div className="changes-list" role="region" aria-label="List of changes" tabIndex={0}>
            {days.map((day) => (
              <DaySection key={day.day} day={day} />
            ))}
            {rest > 0 && (
              <Button className="button" onPress={() => setDrawn(drawn + STEP)} data-testid="changes-more">
                Show {Math.min(rest, STEP)} more ({count(rest)} remaining)
              </Button>
            )}
          </div>
          <div className="buttons">
            <span className="faint changes-hint">
              {CHANGE_KINDS.map((kind) => `${KIND_LABELS[kind]}: ${KIND_HINTS[kind].toLowerCase()}`).join(
                ". ",
              )}
              .
            </span>
            <Button className="button primary" onPress={close} autoFocus>
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function DaySection({ day }: { day: DayChanges }) {
  const id = useId();
  return (
    <section className="changes-day" aria-labelledby={id} data-testid="changes-day" data-day={day.day}>
      <h3 id={id} className="num">
        {day.day} <span className="faint">{weekday(day.day)}</span>
      </h3>
      <ul>
        {day.messages.map((entry) => (
          <ChangeEntry
            key={`${entry.role} ${entry.id} ${entry.kind}`}
            entry={entry}
            text={entryText(entry)}
          />
        ))}
      </ul>
    </section>
  );
}

import { type ClipboardEvent, type KeyboardEvent, useEffect, useState } from "react";
import {
  Button,
  ComboBox,
  Input,
  ListBox,
  ListBoxItem,
  Popover,
  Tag,
  TagGroup,
  TagList,
} from "react-aria-components";

import { useBackend } from "../backend/context";
import { Icon } from "../controls/icons";
import { afterPointer } from "./afterPointer";
import { addValues, enteredValues, splitPaste, splitTyped } from "./tokens";

interface Props {
  field: string;
  label: string;
  tokens: string[];
  draft: string;
  /** The element that says what has to be corrected, if anything has to be. */
  errorId: string | undefined;
  change: (change: { tokens?: string[]; draft?: string }) => void;
  commit: () => void;
}

/** A pasted list may hold thousands of values; more than this many are counted, not drawn. */
const DRAWN = 24;

/** How long typing has to pause before values are suggested. */
const SUGGEST_MS = 80;

/** While the source has not answered: the pause before the next request, and the most requests. */
const RETRY_MS = 300;
const MAX_REQUESTS = 15;

interface Offered {
  values: string[];
  /** The values for what is typed now are still loading. */
  pending: boolean;
}

function useSuggestions(field: string, typed: string, asked: boolean): Offered {
  const backend = useBackend();
  const [found, setFound] = useState<{ prefix: string; values: string[]; pending: boolean } | null>(null);
  const prefix = enteredValues(typed)[0] ?? "";
  useEffect(() => {
    if (!asked) return;
    let live = true;
    let timer: ReturnType<typeof setTimeout>;
    const show = (values: string[], pending: boolean) => {
      // A blank is no value to filter by.
      setFound({ prefix, values: addValues([], values).slice(0, 100), pending });
    };
    const ask = (times: number) => {
      backend.suggest(field, prefix).then(
        (answer) => {
          if (!live) return;
          const pending = answer.is_coming && times < MAX_REQUESTS;
          show(answer.values, pending);
          if (pending) timer = setTimeout(() => ask(times + 1), RETRY_MS);
        },
        // Suggestions are a convenience: without them the user types on.
        () => {
          if (live)
            setFound((found) =>
              found?.prefix === prefix
                ? { ...found, pending: false }
                : { prefix, values: [], pending: false },
            );
        },
      );
    };
    timer = setTimeout(() => ask(1), SUGGEST_MS);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [backend, field, prefix, asked]);
  const { values, pending } =
    found?.prefix === prefix ? found : { values: found?.values ?? [], pending: true };
  // Until the answer arrives, the values of the last one that begin with what is typed now stay: a list that
  // disappeared at every letter would flicker.
  const start = prefix.toLowerCase();
  return { values: values.filter((value) => value.toLowerCase().startsWith(start)), pending };
}

/** Several values of one field. Enter, comma or a pasted list makes tokens; a comma in a value is typed as \, or in quotes. */
export function TokenField({ field, label, tokens, draft, errorId, change, commit }: Props) {
  const [focused, setFocused] = useState(false);
  const [all, setAll] = useState(false);
  // After Escape the list stays closed until something is typed: clearing the text would open it again.
  const [dismissed, setDismissed] = useState(false);
  const suggestions = useSuggestions(field, draft, focused);
  const offered = suggestions.values
    .filter((value) => !tokens.includes(value))
    .map((value) => ({ id: value, value }));
  const drawn = all ? tokens : tokens.slice(0, DRAWN);

  const typed = (text: string) => {
    setDismissed(false);
    const split = splitTyped(text);
    change(
      split.values.length > 0
        ? { tokens: addValues(tokens, split.values), draft: split.draft }
        : { draft: text },
    );
  };
  const pasted = (event: ClipboardEvent<HTMLInputElement>) => {
    const text = event.clipboardData.getData("text/plain");
    // Only a list is split; a single value is pasted into the text as usual.
    if (!/[\n\r\t,;]/.test(text.trim())) return;
    event.preventDefault();
    change({ tokens: addValues(tokens, splitPaste(text)) });
  };
  const pressed = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape" && draft !== "") {
      // Clears the text: otherwise leaving the field would make an unwanted filter of it.
      event.preventDefault();
      setDismissed(true);
      change({ draft: "" });
      return;
    }
    // While a suggestion is highlighted, Enter chooses it.
    if (event.currentTarget.getAttribute("aria-activedescendant")) return;
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && draft.trim() !== "") {
      event.preventDefault();
      commit();
    } else if (event.key === "Backspace" && draft === "" && tokens.length > 0) {
      change({ tokens: tokens.slice(0, -1) });
    }
  };

  return (
    <div className="token-field">
      {tokens.length > 0 && (
        <TagGroup
          className="tags"
          aria-label={`${label}: values`}
          onRemove={(keys) => change({ tokens: tokens.filter((token) => !keys.has(token)) })}
        >
          <TagList className="tag-list" items={drawn.map((value) => ({ id: value, value }))}>
            {(item) => (
              <Tag className="tag" id={item.id} textValue={item.value}>
                <span className="tag-text">{item.value}</span>
                <Button slot="remove" className="tag-remove" aria-label="Remove">
                  <Icon name="close" size={10} />
                </Button>
              </Tag>
            )}
          </TagList>
          {tokens.length > DRAWN && (
            <Button className="link" onPress={() => setAll(!all)}>
              {all ? "Show fewer" : `Show ${tokens.length - DRAWN} more`}
            </Button>
          )}
        </TagGroup>
      )}
      <ComboBox
        aria-label={label}
        className="combo"
        isInvalid={errorId !== undefined}
        aria-describedby={errorId}
        items={offered}
        inputValue={draft}
        onInputChange={typed}
        value={null}
        onChange={(key) => {
          if (key !== null) change({ tokens: addValues(tokens, [String(key)]), draft: "" });
        }}
        allowsCustomValue
        allowsEmptyCollection
        menuTrigger={dismissed ? "manual" : "input"}
        onFocusChange={(inside) => {
          setFocused(inside);
          if (!inside) afterPointer(commit);
        }}
      >
        <Input
          className="input"
          data-testid={`filter-${field}-input`}
          placeholder={tokens.length === 0 ? "any value" : "add a value"}
          onPaste={pasted}
          onKeyDown={pressed}
          autoComplete="off"
          spellCheck="false"
        />
        <Button className="combo-button" aria-label="Show known values">
          <Icon name="chevron" size={12} />
        </Button>
        <Popover className="popover menu" offset={2}>
          <ListBox<{ id: string; value: string }>
            className="list-box"
            renderEmptyState={() => (
              <p className="list-none faint">
                {suggestions.pending
                  ? "Looking for known values"
                  : draft === ""
                    ? "No known values"
                    : "No known value matches; press Enter to use what you typed"}
              </p>
            )}
          >
            {(item) => (
              <ListBoxItem className="list-item" id={item.id} textValue={item.value}>
                {item.value}
              </ListBoxItem>
            )}
          </ListBox>
        </Popover>
      </ComboBox>
    </div>
  );
}

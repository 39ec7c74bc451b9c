import { useRef, useState } from "react";
import { Button, Input, TextField } from "react-aria-components";

import { Icon } from "../controls/icons";
import { deleted, isChanged, type Layouts, saved, switched } from "./layouts";

interface Props {
  layouts: Layouts;
  change: (layouts: Layouts) => void;
}

/** Switches between the named layouts of the columns, and saves the present one. */
export function LayoutPicker({ layouts, change }: Props) {
  const [name, setName] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const names = Object.keys(layouts.named).sort();
  return (
    <section className="layouts" aria-label="Layouts">
      {names.length > 0 && (
        <ul className="layout-list" data-testid="layouts">
          {names.map((one) => {
            const isNow = one === layouts.name;
            return (
              <li key={one}>
                <Button
                  className="link"
                  aria-current={isNow || undefined}
                  onPress={() => change(switched(layouts, one))}
                  data-testid="layout"
                >
                  {one}
                  {isNow && (isChanged(layouts) ? " (changed since)" : " (shown)")}
                </Button>
                <Button
                  className="icon-button"
                  aria-label={`Delete the layout ${one}`}
                  onPress={() => change(deleted(layouts, one))}
                >
                  <Icon name="close" size={10} />
                </Button>
              </li>
            );
          })}
        </ul>
      )}
      <form
        className="layout-save"
        onSubmit={(event) => {
          event.preventDefault();
          change(saved(layouts, name));
          setName("");
          // The button is disabled now: the focus would be nowhere, and Escape would close nothing.
          field.current?.focus();
        }}
      >
        <TextField aria-label="Name of the layout" value={name} onChange={setName}>
          <Input
            ref={field}
            className="input"
            placeholder={layouts.name === "" ? "Name this layout" : `Save as, such as ${layouts.name}`}
            data-testid="layout-name"
          />
        </TextField>
        <Button
          className="button small"
          type="submit"
          isDisabled={name.trim() === ""}
          data-testid="layout-save"
        >
          Save layout
        </Button>
      </form>
    </section>
  );
}

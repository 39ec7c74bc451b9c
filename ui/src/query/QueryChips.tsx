import { Button } from "react-aria-components";

import type { FilterField } from "../backend";
import { useCommandMenu } from "../controls/CommandMenu";
import { Icon } from "../controls/icons";
import { type Chip, chipsLabel, chipsOf } from "./chips";
import type { FormState } from "./filters";

interface Props {
  form: FormState;
  fields: readonly FilterField[];
  /** Unfolds the form, at the element that a selector finds. */
  edit: (selector: string) => void;
  remove: (chip: Chip) => void;
  copy: (text: string) => void;
}

/** The query on one line while its form is folded. Each part leads to its place in the form. */
export function QueryChips({ form, fields, edit, remove, copy }: Props) {
  const chips = chipsOf(form, fields);
  return (
    <div className="query-chips" role="group" aria-label="Query" data-testid="query-chips">
      <Button
        className="button quiet small chips-unfold"
        aria-expanded={false}
        onPress={() => edit(".segment[tabindex='0']")}
        data-testid="form-unfold"
      >
        <Icon name="next" size={12} />
        {chipsLabel(chips)}
      </Button>
      {chips.map((chip) => (
        <ChipButton key={chip.id} chip={chip} edit={edit} remove={remove} copy={copy} />
      ))}
    </div>
  );
}

type ChipProps = Pick<Props, "edit" | "remove" | "copy"> & { chip: Chip };

function ChipButton({ chip, edit, remove, copy }: ChipProps) {
  const { menu, ...opens } = useCommandMenu({
    place: "chips",
    label: chip.text,
    testId: "chip-menu",
    commands: ["edit_chip", "remove_chip", "copy_chip"],
    disabled: chip.remove === null ? ["remove_chip"] : [],
    perform: (command) => {
      if (command === "edit_chip") edit(chip.editor);
      else if (command === "remove_chip") remove(chip);
      else copy(chip.whole);
    },
  });
  return (
    <span className="chip-place" title={chip.whole} {...opens}>
      <Button
        className="chip"
        aria-label={`Edit ${chip.text}`}
        onPress={() => edit(chip.editor)}
        data-testid={`chip-${chip.id}`}
      >
        {chip.text}
      </Button>
      {menu}
    </span>
  );
}

import { Button } from "react-aria-components";

import type { FilterField } from "../backend";
import { useCommandMenu } from "../controls/CommandMenu";
import { Icon } from "../controls/icons";
import { type Chip, chipsLabel, chipsOf } from "./chips";
import type { FormState } from "./filters";
import type { FormAction } from "./useForm";

interface Props {
  form: FormState;
  fields: readonly FilterField[];
  /** Unfolds the form, at the element that a selector finds. */
  edit: (selector: string) => void;
  dispatch: (action: FormAction) => void;
  copy: (text: string) => void;
}

/** The query on one line while its form is folded. Each part leads to its place in the form. */
export function QueryChips({ form, fields, edit, dispatch, copy }: Props) {
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
        <ChipButton key={chip.id} chip={chip} edit={edit} dispatch={dispatch} copy={copy} />
      ))}
    </div>
  );
}

type ChipProps = Pick<Props, "edit" | "dispatch" | "copy"> & { chip: Chip };

function ChipButton({ chip, edit, dispatch, copy }: ChipProps) {
  const { menu, ...opens } = useCommandMenu({
    place: "chips",
    label: chip.text,
    testId: "chip-menu",
    commands: ["edit_chip", "remove_chip", "copy_chip"],
    disabled: chip.remove === null ? ["remove_chip"] : [],
    perform: (command) => {
      if (command === "edit_chip") edit(chip.editor);
      else if (command === "copy_chip") copy(chip.whole);
      else if (chip.remove === "advanced") dispatch({ type: "advanced", text: "" });
      else if (chip.remove !== null) dispatch({ type: "clear_row", id: chip.remove.row });
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

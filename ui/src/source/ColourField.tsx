import { Label, Radio, RadioGroup } from "react-aria-components";

import type { SourceColour } from "../backend";
import { COLOUR_NAMES, COLOURS } from "./colours";
import { Swatch } from "./Swatch";

interface Props {
  value: SourceColour;
  onChange: (colour: SourceColour) => void;
}

/** The colour by which a source is recognised. */
export function ColourField({ value, onChange }: Props) {
  return (
    <RadioGroup
      className="colour-field"
      orientation="horizontal"
      value={value}
      onChange={(colour) => onChange(colour as SourceColour)}
    >
      <Label className="field-label">Colour</Label>
      <div className="colour-list">
        {COLOURS.map((colour) => (
          <Radio key={colour} value={colour} className="colour" data-testid={`source-colour-${colour}`}>
            <Swatch colour={colour} />
            {COLOUR_NAMES[colour]}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

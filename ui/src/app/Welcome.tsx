import { Button } from "react-aria-components";

import { keyText } from "../controls/keys";

/** Shown where the rows will be, before there are any. */
export function Welcome({ configured, openSource }: { configured: boolean; openSource: () => void }) {
  return (
    <div className="welcome" data-testid="welcome">
      {configured ? (
        <>
          <p>Choose the days and filters, then press Fetch ({keyText("window", "fetch")}).</p>
          <p className="faint">The plan above shows what will come from the cache and what from MongoDB.</p>
        </>
      ) : (
        <>
          <p>No source is set up yet.</p>
          <Button className="button primary" onPress={openSource}>
            Set up a source
          </Button>
          <p className="faint">You can open cached queries from the list without one.</p>
        </>
      )}
    </div>
  );
}

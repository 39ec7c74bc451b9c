import { Tick } from "./Tick";

interface Props {
  hasKeychain: boolean;
  isKept: boolean;
  onChange: (isKept: boolean) => void;
}

/** Whether the password goes to the system's keychain. */
export function KeychainTick({ hasKeychain, isKept, onChange }: Props) {
  return hasKeychain ? (
    <Tick
      label="Keep the password in this computer's keychain"
      isSelected={isKept}
      onChange={onChange}
      testId="source-keychain"
    />
  ) : (
    <p className="faint">This computer has no keychain, so the password is asked for at each start.</p>
  );
}

import type { ConnectionForm } from "../backend";
import type { Entered } from "./entered";
import { KeychainTick } from "./KeychainTick";
import { SecretField } from "./SecretField";

interface Props {
  entered: Entered;
  form: ConnectionForm | null;
  hint: string;
  hasKeychain: boolean;
  isRefused: boolean;
  change: (part: Partial<Entered>) => void;
}

/** The passwords of a source. Those that few sources have appear only if the connection string needs them. */
export function SecretFields({ entered, form, hint, hasKeychain, isRefused, change }: Props) {
  const hasCertificate = (form?.certificate_file ?? "") !== "";
  const hasProxy = form?.other_options.includes("proxyHost") ?? false;
  return (
    <>
      <div className="two-fields">
        <SecretField
          label="Password"
          hint={hint}
          value={entered.password}
          isInvalid={isRefused}
          testId="source-password"
          onChange={(password) => change({ password })}
        />
        {(hasCertificate || entered.passphrase !== "") && (
          <SecretField
            label="Passphrase of the certificate"
            hint={hint}
            value={entered.passphrase}
            testId="source-passphrase"
            onChange={(passphrase) => change({ passphrase })}
          />
        )}
        {(hasProxy || entered.proxyPassword !== "") && (
          <SecretField
            label="Password of the proxy"
            hint={hint}
            value={entered.proxyPassword}
            testId="source-proxy-password"
            onChange={(proxyPassword) => change({ proxyPassword })}
          />
        )}
      </div>
      <KeychainTick
        hasKeychain={hasKeychain}
        isKept={entered.isKept}
        onChange={(isKept) => change({ isKept })}
      />
    </>
  );
}

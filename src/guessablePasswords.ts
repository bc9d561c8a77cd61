import { passwordOf } from "./secretsIn.ts"
import { table } from "./Settings.ts"

const length_min = 8
/** Letters alone are most often a word or a name. */
const letters_length_min = 16

const lengthOf = (encoded: string): number => encoded.replace(/%[0-9a-f]{2}/gi, "%").length

const isGuessable = (password: string): boolean =>
  password !== "" &&
  (lengthOf(password) < length_min || (password.length < letters_length_min && /^[A-Za-z]+$/.test(password)))

/**
 * The variables in whose address the password is short or a plain word. Besides being guessed, such a one stands in texts for
 * other reasons, and is taken out of log lines and answers there too (`domain/Secrets.ts`).
 */
export const guessablePasswords = (env: Readonly<Record<string, string | undefined>>): ReadonlyArray<string> =>
  Object.values(table)
    .flatMap(({ aliases, name }) => [name, ...aliases])
    .filter((variable) => isGuessable(passwordOf(env[variable]?.trim() ?? "")))

export const passwordAdvice =
  "use at least 16 random characters: the same word is hidden wherever logs and answers have it"

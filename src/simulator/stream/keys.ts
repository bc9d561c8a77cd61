import type { KeyKind, World } from "./StreamKind.ts"

/** Letters and digits with a letter among them, or the `@` of those who have no id of their own. */
const plausibleId = /^(?=.*[A-Za-z])[A-Za-z0-9_]{2,20}$|^@[A-Za-z0-9_]{2,20}$/

/** Whether a `tr_key` names something of its kind. An ETN is listed with its `Q` and is found with it only. */
export const isKnownKey = ({ options, view }: World, kind: KeyKind, key: string): boolean => {
  switch (kind) {
    case "issue":
      return view.issue(key) !== undefined
    case "index":
      return view.index(key) !== undefined
    case "htsId":
      return options.htsIds?.includes(key) ?? plausibleId.test(key)
  }
}

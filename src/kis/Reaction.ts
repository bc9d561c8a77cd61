/** How long to wait before the same is tried again, in milliseconds; somewhere between the two, so that many do not return at once. */
export interface Again {
  readonly min_ms: number
  readonly max_ms: number
}

/** What is done about a code of the broker. Every code has one; what a channel cannot act on it refuses. */
export type Reaction =
  /** A call too many for the gateway, or its weather. */
  | { readonly _tag: "retryShortly"; readonly again: Again }
  /** A call too many for the ledger behind it, which counts more strictly. */
  | { readonly _tag: "waitSecond"; readonly again: Again }
  /** The token is dropped, renewed once, and the call repeated once. */
  | { readonly _tag: "renewToken" }
  /** Another process has asked for a token within the minute: its token is looked for on disk, then the minute waited for. */
  | { readonly _tag: "waitForToken" }
  /** Nothing helps but other credentials or another setting; `check` says which. */
  | { readonly _tag: "stopAccount"; readonly check: string }
  /** Trouble inside the broker: later, and later each time. */
  | { readonly _tag: "retryLater"; readonly again: Again }
  /** The request itself is wrong: our bug or a setting of ours, never repeated, said once and loudly. */
  | { readonly _tag: "configuration" }
  | { readonly _tag: "asSubscribed" }
  | { readonly _tag: "asUnsubscribed" }
  | { readonly _tag: "slotsFull" }
  | { readonly _tag: "keyInUse" }
  /** The approval key is dropped and another asked for, once. */
  | { readonly _tag: "newApproval" }
  /** One registration is refused, in passing or for good; the session goes on. */
  | { readonly _tag: "refuseRegistration"; readonly passing: boolean }

const retryShortly: Reaction = { _tag: "retryShortly", again: { min_ms: 100, max_ms: 300 } }
const waitSecond: Reaction = { _tag: "waitSecond", again: { min_ms: 1_000, max_ms: 1_500 } }
const renewToken: Reaction = { _tag: "renewToken" }
const retryLater: Reaction = { _tag: "retryLater", again: { min_ms: 1_000, max_ms: 30_000 } }
const configuration: Reaction = { _tag: "configuration" }
const stopAccount = (check: string): Reaction => ({ _tag: "stopAccount", check })
const refuse = (passing: boolean): Reaction => ({ _tag: "refuseRegistration", passing })

const table: ReadonlyMap<string, Reaction> = new Map([
  // The stream (kis/websocket.md §3).
  ["OPSP0000", { _tag: "asSubscribed" }],
  ["OPSP0001", { _tag: "asUnsubscribed" }],
  ["OPSP0002", { _tag: "asSubscribed" }],
  ["OPSP0003", { _tag: "asUnsubscribed" }],
  ["OPSP0007", refuse(true)],
  ["OPSP0008", { _tag: "slotsFull" }],
  ["OPSP0009", refuse(true)],
  ["OPSP0010", stopAccount("the app key is not valid")],
  ["OPSP0011", { _tag: "newApproval" }],
  // What was registered has a wrong name: that one, not the session.
  ["OPSP8991", refuse(false)],
  ["OPSP8992", refuse(false)],
  ["OPSP8993", refuse(false)],
  ["OPSP8994", configuration],
  ["OPSP8995", configuration],
  ["OPSP8996", { _tag: "keyInUse" }],
  ["OPSP8997", configuration],
  ["OPSP8998", configuration],
  ["OPSP8999", refuse(true)],
  ["OPSP9990", configuration],
  ["OPSP9991", configuration],
  ["OPSP9992", configuration],
  ["OPSP9993", refuse(true)],
  ["OPSP9994", stopAccount("the app key is not valid")],
  ["OPSP9995", refuse(true)],
  // Vague, but about the key, and connecting again and again with a bad one is what blocks it.
  ["OPSP9996", stopAccount("something is wrong with the app key")],
  ["OPSP9997", configuration],
  ["OPSP9998", configuration],
  ["OPSP9999", configuration],

  // The gateway (kis/limits.md §5).
  ["EGW00001", retryLater],
  ["EGW00002", retryLater],
  // Also what a temporary block may say: it passes, but not soon, and asking on would prolong it.
  ["EGW00003", { _tag: "retryLater", again: { min_ms: 60_000, max_ms: 600_000 } }],
  ["EGW00004", stopAccount("the customer has no permission; apply for the API in the broker's portal")],
  ["EGW00101", configuration],
  ["EGW00102", stopAccount("the app key is missing")],
  ["EGW00103", stopAccount("the app key is not valid")],
  ["EGW00104", stopAccount("the app secret is missing")],
  ["EGW00105", stopAccount("the app secret is not valid")],
  ["EGW00115", configuration],
  ["EGW00116", configuration],
  ["EGW00121", renewToken],
  ["EGW00122", renewToken],
  ["EGW00123", renewToken],
  ["EGW00131", configuration],
  ["EGW00132", configuration],
  ["EGW00133", { _tag: "waitForToken" }],
  ["EGW00201", retryShortly],
  ["EGW00202", retryLater],
  ["EGW00203", retryLater],
  ["EGW00205", configuration],
  ["EGW00206", configuration],
  ["EGW00207", configuration],
  ["EGW00208", configuration],
  ["EGW00210", stopAccount("a corporate customer cannot use the mock")],
  ["EGW00213", configuration],
  ["EGW00215", waitSecond],
  ["EGW00300", retryLater],
  // "Check the previous transaction": we only ask for prices, which may be asked for twice.
  ["EGW00301", retryLater],
  ["EGW00302", retryLater],
  ["EGW00303", stopAccount("the address of this computer is not registered for the corporate customer")],
  ["EGW00304", stopAccount("the customer's key is not valid")],
  ["EGW02004", stopAccount("it is a key of the mock, and this is the live service")],
  ["EGW02006", configuration],

  // The service behind the gateway.
  ["OPSQ0001", retryLater],
  ["OPSQ0002", configuration],
  ["OPSQ0003", retryLater],
  ["OPSQ0008", retryLater],
  ["OPSQ0009", retryLater],
  ["OPSQ0010", retryLater],
  ["OPSQ1002", retryLater],
  ["OPSQ2000", configuration],
  ["OPSQ2001", configuration],
  ["OPSQ2002", configuration],
  ["OPSQ9999", configuration]
])

/** Every code that has a reaction: those of the broker's table (`test/fixtures/kis/error_codes.json`), no more and no fewer. */
export const knownCodes: ReadonlyArray<string> = [...table.keys()]

/**
 * The decided reaction to a code, whatever HTTP status or channel it came by; `undefined` for one the broker has not
 * published. Such a code refuses the one call or registration it answers, is logged as it came, once, and stops nothing.
 */
export const reactionTo = (code: string): Reaction | undefined => table.get(code)

import { Effect } from "effect"
import { marketInstant } from "../../calendar/MarketTime.ts"
import { type Refusal, refusal } from "../Refusal.ts"
import type { Query } from "./Endpoint.ts"

/** A field that the call cannot do without. The words are those that clients have logged. */
export const wanted = (query: Query, name: string): Effect.Effect<string, Refusal> => {
  const value = query.get(name)
  return value === undefined || value === ""
    ? Effect.fail(refusal("OPSQ2001", `INPUT FIELD NOT FOUND [${name}]`))
    : Effect.succeed(value)
}

const invalid = (name: string) => refusal("OPSQ2001", `INVALID ${name}`)

/** A field that takes only these values. */
export const oneOf = <Value extends string>(
  query: Query,
  name: string,
  values: ReadonlyArray<Value>
): Effect.Effect<Value, Refusal> =>
  Effect.flatMap(wanted(query, name), (given) => {
    const known = values.find((value) => value === given)
    return known === undefined ? Effect.fail(invalid(name)) : Effect.succeed(known)
  })

const matching = (query: Query, name: string, isRight: (given: string) => boolean): Effect.Effect<string, Refusal> =>
  Effect.filterOrFail(wanted(query, name), isRight, () => invalid(name))

/** `YYYYMMDD`, a day that exists. */
export const dayField = (query: Query, name: string): Effect.Effect<string, Refusal> =>
  matching(query, name, (date) => marketInstant(date, "000000") !== undefined)

/** One end of a span of days, `YYYYMMDD`. Any eight digits: a client in wide use asks for everything since `00000101`. */
export const spanField = (query: Query, name: string): Effect.Effect<string, Refusal> =>
  matching(query, name, (date) => /^\d{8}$/.test(date))

const hourForm = /^([01]\d|2[0-3])[0-5]\d[0-5]\d$/

/** `HHMMSS`. */
export const hourField = (query: Query, name: string): Effect.Effect<string, Refusal> =>
  matching(query, name, (hour) => hourForm.test(hour))

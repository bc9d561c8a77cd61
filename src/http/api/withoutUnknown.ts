/** A report as JSON can say it: a number that is none, or infinite, is unknown, and what is unknown is left out. */
export const withoutUnknown = <A>(value: A): A => cleaned(value) as A

const cleaned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(cleaned)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === undefined || (typeof inner === "number" && !Number.isFinite(inner)) ? [] : [[key, cleaned(inner)]]
    )
  )
}

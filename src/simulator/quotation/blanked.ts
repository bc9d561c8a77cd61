/**
 * What the broker answers for a code that is not listed is not known [U]: a good reply whose numbers are zero, whose
 * texts are blank, and whose `kept` values stay as they are.
 */
export const blanked = (
  row: Readonly<Record<string, string>>,
  kept: Readonly<Record<string, string>> = {}
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(row).map(([key, value]) => {
      if (/^-?\d+$/.test(value)) return [key, kept[key] ?? "0"]
      const decimals = /^-?\d+\.(\d+)$/.exec(value)?.[1]
      return [key, kept[key] ?? (decimals === undefined ? "" : `0.${"0".repeat(decimals.length)}`)]
    })
  )

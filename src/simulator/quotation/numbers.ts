/** Numbers as the broker writes them: text, percentages with two decimals, signs inside the number. */

export const whole = (value: number): string => {
  const text = String(Math.round(value))
  return text === "-0" ? "0" : text
}

export const decimal = (value: number): string => {
  const text = value.toFixed(2)
  return text === "-0.00" ? "0.00" : text
}

/** `part` in per cent of `of`, `0.00` when there is nothing to compare with. */
export const percent = (part: number, of: number): string => (of === 0 ? "0.00" : decimal((part / of) * 100))

/** 2 up, 3 flat, 5 down. */
export const direction = (change: number): string => (change > 0 ? "2" : change < 0 ? "5" : "3")

/** As `direction`, with 1 at the upper and 4 at the lower limit of the day. */
export const changeSign = (price: number, base: number, upper: number, lower: number): string => {
  if (price === base) return "3"
  if (price === upper) return "1"
  return price === lower ? "4" : direction(price - base)
}

/** A price that is not there yet, such as the open before the first trade, compares to nothing. */
export const since = (price: number, before: number): number => (price === 0 || before === 0 ? 0 : price - before)

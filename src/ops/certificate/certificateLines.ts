import { marketHour } from "../../calendar/MarketTime.ts"
import type { Certificate } from "./Certificate.ts"
import { verdictWords } from "./verdictWords.ts"

/** Reasons that are printed; the page has all. */
const reasons_max = 20

const hour = (at: string) => marketHour(Date.parse(at)).replace(/(..)(..)(..)/, "$1:$2")

/** A certificate for a terminal: verdict, why, phases, and where the files are. */
export const certificateLines = (
  { coverage, day, reasons, verdict }: Certificate,
  file: string
): ReadonlyArray<string> => [
  `${day}: ${verdictWords[verdict]}`,
  ...reasons.slice(0, reasons_max).map((reason) => `  ${reason}`),
  ...(reasons.length > reasons_max ? [`  … and ${reasons.length - reasons_max} reasons more`] : []),
  ...coverage.phases.map(({ actual_seconds, expected_seconds, from, phase, symbols, to, whole }) => {
    const share =
      expected_seconds === 0 ? "nothing was expected" : `${((100 * actual_seconds) / expected_seconds).toFixed(3)} %`
    return `  ${hour(from)}–${hour(to)}  ${phase.padEnd(15)} ${share.padStart(10)}  ${whole} of ${symbols} symbols whole`
  }),
  `written to ${file}, and beside it the page and the checksums`
]

import { spanWords } from "../amountWords.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"

const skew_ms_warn = 1_000
const skew_ms_fail = 5_000

export const clockName = "clock"

/** What is to be said of this machine's clock; positive is ahead of the server's. */
export const judgeSkew = (skew_ms: number, ms: number): Finding => {
  const words = `${spanWords(Math.abs(skew_ms))} ${skew_ms < 0 ? "behind" : "ahead of"} the broker's`
  const beside = { ms, details: { skew_ms: Math.round(skew_ms) } }
  const harm = "receivedAt, lags and the hours of the files are wrong by it"
  const advice = `let chrony or systemd-timesyncd keep the clock; ${harm}`
  if (Math.abs(skew_ms) > skew_ms_fail) {
    return fail(clockName, words, `${advice}, and so is when trading is taken to begin and end`, beside)
  }
  return Math.abs(skew_ms) > skew_ms_warn
    ? warn(clockName, words, advice, beside)
    : ok(clockName, `within ${skew_ms_warn / 1_000} s of the broker's`, beside)
}

import { spawnSync } from "node:child_process"

const { error } = spawnSync("promtool", ["--version"])

/** Why Prometheus's own check of metrics is not made here; printed by those that skip. */
export const promtoolMissing = error === undefined ? undefined : `no promtool (${error.message})`

/** What `promtool check metrics` says of a text. It ends with 1 for what is no Prometheus text, and with 3 for names that it would choose otherwise. */
export const checkMetrics = (text: string) => {
  const { status, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" })
  return {
    code: status,
    words: stderr
      .trim()
      .split("\n")
      .filter((line) => line !== "")
  }
}

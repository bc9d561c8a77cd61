import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { scratchFolder } from "../support/virtualTime.ts"
import { ran, root, without } from "./tools.ts"

const textOf = (path: string) => readFileSync(join(root, path), "utf8")
const rules = textOf("docker/prometheus/alerts.yaml")
const trial = textOf("docker/prometheus/alerts.test.yaml")
const dashboardText = textOf("docker/grafana/dashboards/observer.json")

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly uid: string }
  readonly targets?: ReadonlyArray<{ readonly expr: string }>
}

const { panels } = JSON.parse(dashboardText) as { readonly panels: ReadonlyArray<Panel> }
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** What the program emits. */
const emitted = new Set(
  readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .flatMap((source) => [...source.matchAll(/"(observer_[a-z_]+)"/g)].map(([, name = ""]) => name))
)

/** What nobody should have to look for. */
const mustHave = [
  "observer_reconnects_total",
  "observer_token_age_seconds",
  "observer_staleness_seconds",
  "observer_journal_unsynced_seconds",
  "observer_disk_free_bytes",
  "observer_disk_full_hours",
  "observer_folder_state",
  "observer_backup_age_seconds",
  "observer_backup_unbacked_bytes",
  "observer_event_loop_lag_seconds",
  "observer_heap_used_bytes",
  "observer_resident_bytes",
  "observer_open_descriptors_count",
  "observer_part_state",
  "observer_alerts_firing_count",
  "observer_alert_deliveries_total",
  "observer_log_lost_lines_total",
  "observer_gap_seconds_total",
  "observer_rejects_total"
]

const named = (text: string) => [...new Set(text.match(/observer_[a-z_]+/g))]
/** A histogram's series have its name and an ending. */
const isThere = (name: string) => [name, name.replace(/_(bucket|sum|count)$/, "")].some((each) => emitted.has(each))

describe("what is looked at", () => {
  it("is what the program emits", () => {
    const ruled = rules
      .split("\n")
      .filter((line) => !/^\s*(#|description:|summary:)/.test(line))
      .join("\n")
    const unknown = named([ruled, ...expressions].join("\n")).filter((name) => !isThere(name))
    assert.deepStrictEqual(
      unknown.filter((name) => name !== "observer_http_token"),
      []
    )
  })

  it("shows what nobody should have to look for", () => {
    const shown = new Set(named(expressions.join("\n")).map((name) => name.replace(/_bucket$/, "")))
    assert.deepStrictEqual(
      mustHave.filter((name) => !shown.has(name)),
      []
    )
  })
})

describe("the dashboard", () => {
  it("has panels that neither overlap nor stick out, each with a number of its own and the provisioned source", () => {
    const sources = textOf("docker/grafana/provisioning/datasources/observer.yaml")
    const taken = new Set<string>()
    for (const { datasource, gridPos, title, type } of panels) {
      const { h, w, x, y } = gridPos
      assert.isAtMost(x + w, 24, title)
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          assert.isFalse(taken.has(`${column}/${line}`), `${title} lies on another panel`)
          taken.add(`${column}/${line}`)
        }
      }
      if (type !== "row") assert.isTrue(sources.includes(`uid: ${datasource?.uid}\n`), title)
    }
    assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
  })
})

const noPromtool = without("promtool")

describe.skipIf(noPromtool)(`promtool${noPromtool ? ` (skipped: ${noPromtool})` : ""}`, () => {
  it("finds the rules and the configuration sound", () => {
    const checked = ran("promtool", ["check", "rules", "docker/prometheus/alerts.yaml"])
    assert.strictEqual(checked.code, 0, checked.stdout + checked.stderr)
    const config = ran("promtool", ["check", "config", "--syntax-only", "docker/prometheus/prometheus.yaml"])
    assert.strictEqual(config.code, 0, config.stdout + config.stderr)
  })

  it("sees every rule fire when it should, and no other", () => {
    const names = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
    const tried = new Set([...trial.matchAll(/alertname="(\w+)"/g)].map(([, name]) => name))
    assert.deepStrictEqual(
      names.filter((name) => !tried.has(name)),
      []
    )
    const { code, stderr, stdout } = ran("promtool", ["test", "rules", "docker/prometheus/alerts.test.yaml"])
    assert.strictEqual(code, 0, stdout + stderr)
  })

  it.effect("can read every expression of the dashboard", () =>
    Effect.gen(function* () {
      // As rules they are read here; asked of a server, they would be read there.
      const recorded = expressions.map((each) =>
        JSON.stringify({
          record: "dashboard:expression",
          expr: each.replaceAll("$__rate_interval", "5m").replaceAll("$account", ".*")
        })
      )
      const file = join(yield* scratchFolder, "expressions.yaml")
      writeFileSync(file, `{"groups": [{"name": "dashboard", "rules": [${recorded.join(",")}]}]}`)
      const { code, stderr, stdout } = ran("promtool", ["check", "rules", "--lint=none", file])
      assert.strictEqual(code, 0, stdout + stderr)
    })
  )
})

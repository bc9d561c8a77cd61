// The Effect diagnostics, where every finding counts and "checked 0 files" is a failure: without the plugin's name,
// which tsconfig.json need not hold, the tool looks at nothing and calls it clean.
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

/** Whether the tool's report says that files were checked, all of them, and nothing was found. */
export const isClean = (report) => {
  const [, checked, files] = /^Checked (\d+) files out of (\d+) files/m.exec(report) ?? []
  return Number(checked) > 0 && checked === files && /^0 errors, 0 warnings and 0 messages/m.test(report)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("..", import.meta.url))
  const windows = process.platform === "win32"
  const command = `${root}node_modules/.bin/effect-tsgo${windows ? ".cmd" : ""}`
  const plugin = JSON.stringify({ name: "@effect/language-service" })
  const args = ["diagnostics", "--project", "tsconfig.json", "--format", "text", "--lspconfig", plugin]
  const { error, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", shell: windows })
  if (error) throw error
  process.stdout.write(`${stdout}${stderr}`)
  if (!isClean(stdout)) process.exit(1)
}

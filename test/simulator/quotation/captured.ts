import { readFileSync } from "node:fs"

/** A captured or portal reply of `test/fixtures/kis/rest`. */
export interface Captured {
  readonly tr_id: string
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

export const captured = (name: string): Captured =>
  JSON.parse(readFileSync(new URL(`../../fixtures/kis/rest/${name}`, import.meta.url), "utf8")) as Captured

import { readFileSync } from "node:fs"

/** A fenced block of a page of the documents, with the heading it stands under. */
export interface Block {
  readonly heading: string
  readonly language: string
  readonly code: string
}

export const textOf = (page: string): string => readFileSync(new URL(`../../${page}`, import.meta.url), "utf8")

/** Every fenced block of a page, named from the project's root, in order. */
export const blocksOf = (page: string): ReadonlyArray<Block> => {
  let heading = ""
  return [...textOf(page).matchAll(/^#+ (.+)$|^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, title, language, code]) => {
    if (title !== undefined) heading = title
    return language === undefined || code === undefined ? [] : [{ heading, language, code }]
  })
}

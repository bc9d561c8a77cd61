import type { Attributes, AttributeValue } from "@opentelemetry/api"
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base"

/** Takes known secrets out of spans that have ended, should an error or a line on them quote one. */
export const scrubSpans =
  (scrub: (text: string) => string) =>
  (spans: ReadonlyArray<ReadableSpan>): void => {
    const scrubbed = (value: AttributeValue | undefined): AttributeValue | undefined => {
      if (typeof value === "string") return scrub(value)
      return Array.isArray(value)
        ? (value.map((each: unknown) => (typeof each === "string" ? scrub(each) : each)) as AttributeValue)
        : value
    }
    const scrubAll = (attributes: Attributes | undefined) => {
      for (const [key, value] of Object.entries(attributes ?? {})) if (attributes) attributes[key] = scrubbed(value)
    }
    for (const { attributes, events, status } of spans) {
      scrubAll(attributes)
      if (status.message !== undefined) status.message = scrub(status.message)
      for (const event of events) {
        event.name = scrub(event.name)
        scrubAll(event.attributes)
      }
    }
  }

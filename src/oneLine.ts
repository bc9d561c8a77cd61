import { Console } from "effect"
import { CliOutput } from "effect/cli"

/** Answers a wrong invocation in one line on standard error, not with the whole manual. */
export const oneLinePresenter = (program: string): CliOutput.Presenter => ({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          `${program}: ${event.errors.map((error) => error.message).join("; ")} (--help lists what there is)`
        )
      : CliOutput.defaultPresenter.present(event)
})

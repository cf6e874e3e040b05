"""The `headwater` command. It talks to the running daemon through the admin listener and never opens its files.

Exit codes: 0 done; 1 the answer is no (a fault in the file, a ledger that does not add up, an order that was refused);
2 the command line is wrong; 3 no daemon answers.
"""

import click

from gateway import __version__
from gateway.commands.daemon import check, init, run
from gateway.commands.dead import dead
from gateway.commands.events import rejects, send, tail, trace
from gateway.commands.forget import export_person, forget
from gateway.commands.orders import destinations, reload, resume
from gateway.commands.overview import ledger, status
from gateway.commands.person import person
from gateway.commands.replay import replay
from gateway.commands.script import script
from gateway.commands.sql import sql
from gateway.commands.trial import new, preview, try_
from gateway.commands.warehouse import warehouse

COMMANDS = (
    init,
    check,
    try_,
    new,
    script,
    run,
    status,
    ledger,
    tail,
    send,
    trace,
    preview,
    rejects,
    dead,
    sql,
    warehouse,
    person,
    forget,
    export_person,
    replay,
    resume,
    reload,
    destinations,
)


class InOrder(click.Group):
    """Lists its commands in the order in which they were added, which is that of their use."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="headwater", message="%(prog)s %(version)s")
def main() -> None:
    """A first-party event gateway: collect once, keep it durable, tell every tool.

    Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 no daemon answers.
    """


for command in COMMANDS:
    main.add_command(command)

"""Examples of every command, as its help shows them; a test parses each."""

from __future__ import annotations

# By the words that name the command. Each line is typed after `carnet-authority`.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        'init --org "Field Survey"',
        "serve",
        'member add ada --type "GIS Professional"',
        "borrow issue trip.request --member ada -o trip.borrow",
        'borrow release ID --reason "laptop re-imaged" --accept-overlap',
    ),
    "init": ('init --org "Field Survey"', 'init --org "Field Survey" --authorization field.authorization --trust vendor.trust'),
    "serve": ("serve", "serve --host 0.0.0.0 --port 8440 --workers 4"),
    "migrate": ("migrate",),
    "doctor": ("doctor", "doctor --json", "doctor --reconcile --node /mnt/second-node"),
    "backup": ("backup -o night.backup",),
    "restore": ("restore night.backup --dry-run", "restore night.backup --replace --catch-up"),
    "catch-up": ("catch-up --dry-run", "catch-up --node /mnt/second-node"),
    "demo": ("demo",),
    "overview": ("overview", "overview --json"),
    "inspect": ("inspect trip.request",),
    "member import": ("member import members.csv --dry-run", "member import members.csv --go-on"),
    "member export": ("member export -o members.csv",),
    "member add": (
        'member add ada --name "Ada Lovelace" --type "GIS Professional" --group survey',
        "member add eve --type Creator --password-file eve.password",
    ),
    "member set": (
        "member set ada --type Viewer --dry-run",
        "member set ada eve --disable",
        "member set ada eve --add-group night --remove-group survey",
        "member set eve --role license-manager",
    ),
    "member show": ("member show ada",),
    "member list": (
        "member list --search lovelace",
        "member list --unused-for 90 --enabled",
        "member list --group survey",
        'member list --type "GIS Professional" --json',
    ),
    "member rename": ("member rename ada ada.king --dry-run", "member rename ada ada.king"),
    "member remove": (
        "member remove ada eve --dry-run",
        "member remove --file gone.txt --release",
        "member remove --group night",
    ),
    "member erase": ('member erase ada --reason "asked for by the person" --dry-run',),
    "member defaults": (
        "member defaults",
        "member defaults --type Creator --add-on arcgis-pro=Standard --group survey",
        "member defaults --no-groups --no-add-ons",
        "member defaults --reset",
    ),
    "api-key create": ('api-key create ada --name "nightly report"',),
    "api-key list": ("api-key list",),
    "sign-in list": ("sign-in list ada",),
    "sign-in end": ("sign-in end ada ID", "sign-in end ada --all --dry-run"),
    "api-key revoke": ("api-key revoke ID", "api-key revoke ID ID --one-by-one"),
    "license assign": (
        "license assign ada eve arcgis-pro --level Standard --extension 3DAnalyst",
        "license assign ada arcgis-pro --add-extension SpatialAnalyst",
        "license assign --file licenses.csv --dry-run",
    ),
    "license unassign": ("license unassign ada eve arcgis-pro", "license unassign --file licenses.csv --dry-run"),
    "license availability": ("license availability --product arcgis-pro",),
    "license activity": ("license activity arcgis-pro", "license activity arcgis-pro --unused-for 90 --csv"),
    "policy show": ("policy show",),
    "policy set": (
        "policy set --allow --longest-days 30 --default-days 7",
        "policy set --group field-crew --longest-days 60 --dry-run",
        "policy set --member ada --product arcgis-pro --deny",
    ),
    "policy remove": ("policy remove --group field-crew",),
    "policy explain": ("policy explain ada arcgis-pro",),
    "pool show": ("pool show --product arcgis-desktop",),
    "pool set": (
        "pool set arcgis-desktop Advanced --low-water 2",
        "pool set arcgis-desktop Advanced --group field-crew --reserved 3 --maximum 6",
    ),
    "pool remove": ("pool remove arcgis-desktop Advanced --group field-crew",),
    "borrow issue": (
        "borrow issue trip.request --member ada -o trip.borrow",
        "borrow issue one.request two.request -o answers",
        "borrow issue trip.request --dry-run",
    ),
    "borrow list": (
        "borrow list",
        "borrow list --due-within 7 --group field-crew",
        "borrow list --sort due",
        "borrow list --machine red --all",
        "borrow list --csv -o offline.csv",
    ),
    "borrow offline": ("borrow offline", "borrow offline --stuck", "borrow offline --due-within 7 --csv -o due.csv"),
    "borrow show": ("borrow show ID",),
    "borrow revoke": ('borrow revoke ID --reason "left the company"',),
    "borrow release": (
        'borrow release ID --reason "laptop re-imaged" --accept-overlap',
        'borrow release --from stuck.csv --reason "machines gone" --accept-overlap --dry-run',
    ),
    "borrow check-in": ("borrow check-in trip.return", "borrow check-in one.return two.return"),
    "borrow clock-reset": ('borrow clock-reset ID --code ABCD-EFGH-IJKL-MNOP --reason "battery replaced" -o trip.clock',),
    "session list": ("session list --member ada", "session list --all --limit 50"),
    "session end": ("session end ID", "session end ID ID --dry-run"),
    "session settings": ("session settings", "session settings --computers 2 --minutes 20"),
    "session show": ("session show ID",),
    "status-list export": ("status-list export -o newest.status",),
    "trust show": ("trust show",),
    "trust export": ("trust export -o organization.trust",),
    "authorization show": ("authorization show",),
    "authorization install": (
        "authorization install field.authorization --dry-run",
        "authorization install field.authorization --trust vendor.trust --accept-root THUMBPRINT",
        "authorization install field.authorization --trust vendor.trust-update",
    ),
    "key rotate": ("key rotate", "key rotate --use borrow"),
    "key retire": ("key retire THUMBPRINT --dry-run", "key retire THUMBPRINT --stolen"),
    "key list": ("key list", "key list --public -o keys.json"),
    "log list": ("log list", "log list --kind denial --since 2026-03-01", "log list --member ada --json"),
    "log show": ("log show 17",),
    "log export": (
        "log export -o log.jsonl",
        "log export --format parquet -o log.parquet",
        "log export --format sealed -o log.sealed",
    ),
    "log seal": ("log seal",),
    "log prune": ("log prune --older-than 1095 --dry-run", "log prune --before 2026-01-01"),
    "log checkpoint": ("log checkpoint -o today.checkpoint",),
    "log verify": (
        "log verify",
        "log verify --checkpoint today.checkpoint",
        "log verify --file log.sealed --trust vendor.trust --checkpoint today.checkpoint",
    ),
    "root init": ("root init vendor --passphrase-file passphrase",),
    "root rotate": ("root rotate vendor --passphrase-file passphrase -o vendor.trust-update",),
    "root authorize": (
        "root authorize vendor --passphrase-file passphrase --spec field.toml --keys keys.json -o field.authorization",
    ),
}


def examples_of(words: str) -> list[str]:
    """The examples of a command, or the first one of each command of a group, as they are typed."""
    lines = EXAMPLES.get(words) or [lines[0] for name, lines in EXAMPLES.items() if name.startswith(f"{words} ")]
    return [f"carnet-authority {line}" for line in lines]

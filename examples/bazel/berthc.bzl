"""Compiles specs with nothing in reach but what the rule names."""

def _impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.add("compile")
    args.add_all(ctx.files.specs)
    args.add("-o").add(out.path)
    args.add_all(ctx.attr.targets, before_each = "--target")
    args.add("--quiet")
    ctx.actions.run(
        executable = ctx.executable.berthc,
        arguments = [args],
        inputs = ctx.files.specs + ctx.files.data,
        outputs = [out],
        mnemonic = "Berthc",
        progress_message = "Compiling %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

berthc_compile = rule(
    implementation = _impl,
    doc = "One folder with SERVICE/{kubernetes,fleet,swarm} for the services of `specs`.",
    attrs = {
        "specs": attr.label_list(
            doc = "A spec, and the specs that it names: in `peers('x')`, `apart_from`, and other revisions.",
            allow_files = [".yaml", ".toml"],
            mandatory = True,
        ),
        "data": attr.label_list(
            doc = "Files that the specs read: `base`, and `from` of `files`.",
            allow_files = True,
        ),
        "targets": attr.string_list(doc = "Orchestrators to emit for; all that the specs name if empty."),
        "berthc": attr.label(
            doc = "The program.",
            default = "//tools:berthc",
            executable = True,
            cfg = "exec",
            allow_single_file = True,
        ),
    },
)

"""`python -m mec_moe_agents` is `mec-moe`."""

from mec_moe_agents.extras import explain


def main() -> None:
    """Run the command line, or say which extra it needs; the entry point of `mec-moe`."""
    try:
        from mec_moe_agents.cli import main as run
    except ImportError as error:
        raise SystemExit(f"mec-moe: {explain(error, 'the command line')}") from None
    run()


if __name__ == "__main__":
    main()

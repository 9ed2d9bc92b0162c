"""`python -m mec_moe_agents` is `mec-moe`."""

from mec_moe_agents.cli import main

if __name__ == "__main__":
    main()

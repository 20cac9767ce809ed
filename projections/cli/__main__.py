from projections.cli import main

main()

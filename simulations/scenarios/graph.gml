# Made up: two continents of three exchanges each. Two cables join them; the short one loses 5 %.
graph [
  directed 0
  node [ id 0 label "west, harbour" ]
  node [ id 1 label "west, hills" ]
  node [ id 2 label "west, plain" ]
  node [ id 10 label "east, harbour" ]
  node [ id 11 label "east, hills" ]
  node [ id 12 label "east, plain" ]
  # Within an exchange.
  edge [ source 0 target 0 latency "1 ms" ]
  edge [ source 1 target 1 latency "1 ms" ]
  edge [ source 2 target 2 latency "1 ms" ]
  edge [ source 10 target 10 latency "1 ms" ]
  edge [ source 11 target 11 latency "1 ms" ]
  edge [ source 12 target 12 latency "1 ms" ]
  # On land.
  edge [ source 0 target 1 latency "4 ms" ]
  edge [ source 1 target 2 latency "6500 us" ]
  edge [ source 10 target 11 latency "5 ms" ]
  edge [ source 11 target 12 latency "7500 us" ]
  # Under the sea: the first is the shorter way for the harbours and hills, the second for the plains.
  edge [ source 0 target 10 latency "60 ms" packet_loss 0.05 ]
  edge [ source 2 target 12 latency "72 ms" packet_loss 0.0 ]
]

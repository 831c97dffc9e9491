"""RLM's report and debug logs: lines -> days -> what is out -> events of all files. Knows no other source."""

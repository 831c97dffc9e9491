"""FlexNet debug logs: lines -> times -> what one file says -> days -> events of all files. Knows no other source."""

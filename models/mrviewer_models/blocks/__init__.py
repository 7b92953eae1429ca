"""What several systems share: data consistency, cascades, the U-Net family. Each exists once."""
